"""The digest of a base image: kept from the old lock, or that of a registry, which is asked while the search runs."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, TfenvError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.model.lock import Lock


class BaseDigest:
    """From the reference of an image to its digest: that of the old lock for the image it names, else the registry's.

    Args:
        old: the lock that is there.
        upgrade: what is not kept: names, or everything.
        offline: ask no registry.
        report: called with the reason if no digest is available.
    """

    def __init__(
        self, old: Lock | None, upgrade: Iterable[str] | bool, *, offline: bool, report: Callable[[TfenvError], None]
    ) -> None:
        before = None if old is None else old.base_image
        self._known = {before.reference: before.digest} if before is not None and before.digest is not None else {}
        self._kept = {} if upgrade is True and not offline else self._known
        self._offline = offline
        self._report = report
        self._asked: dict[str, _Asked] = {}

    @property
    def is_open(self) -> bool:
        """Whether the registry will be asked, as far as can be said before an image is chosen."""
        return not self._offline and not self._kept

    def expect(self, reference: str) -> None:
        """Ask the registry for an image that will probably be wanted, and do not wait for the answer."""
        if reference not in self._kept and not self._offline and reference not in self._asked:
            self._asked[reference] = _Asked(reference)

    def of(self, reference: str) -> str:
        """The digest, such as `sha256:…`.

        Raises:
            TfenvError: none is kept, and the registry gives none; reported too.
        """
        if reference in self._kept:
            return self._kept[reference]
        try:
            if self._offline:
                raise IndexUnavailable("no registry is asked when offline")
            self.expect(reference)
            return self._asked[reference].answer()
        except TfenvError as error:
            if reference in self._known:
                return self._known[reference]
            self._report(error)
            raise

    def added(self, answer: Lock) -> Lock:
        """A lock with the digest of its base image, or with a warning that no registry gave it."""
        if answer.base_image is None:
            return answer
        try:
            digest = self.of(answer.base_image.reference)
        except TfenvError:
            # the reason is not for the lock: hosts fail in words of their own, and the bytes must be the same
            warning = "the base image is locked by its tag only, because no registry was reachable for its digest"
            return replace(answer, warnings=(*answer.warnings, warning))
        return replace(answer, base_image=replace(answer.base_image, digest=digest))


class _Asked:
    """A request for a digest in a thread of its own, which does not keep the program from ending."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._digest = ""
        self._error: Exception | None = None
        self._thread = Thread(target=self._ask, name=f"digest of {reference}", daemon=True)
        self._thread.start()

    def answer(self) -> str:
        """Wait for the digest; the errors are those of `tfenv.image.registry.digest`."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digest

    def _ask(self) -> None:
        try:
            # 11 modules and httpx, which a lock whose image is known does not need
            from tfenv.image.registry import digest

            self._digest = digest(self._reference)
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits for the answer
            self._error = error
