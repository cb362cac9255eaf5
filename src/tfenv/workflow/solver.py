"""Solves what is about to be suggested, as far as an index answers and time allows."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.inputs.request import release_specifier
from tfenv.model.goal import PYPI, Goal
from tfenv.model.hardware import Gpu
from tfenv.model.target import Accelerator, Platform, Target

if TYPE_CHECKING:
    from types import TracebackType

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.database import Database
    from tfenv.index.source import IndexSource
    from tfenv.model.configuration import Configuration
    from tfenv.model.package import Name
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache

_SECONDS = 3.0
"""After so long nothing more is solved: an answer that is only checked by the rules is better than none."""


class Solver:
    """Asks an index; a context manager.

    Args:
        database: the facts.
        offline: take only what is cached.
        indexes: with credentials, if they need any.
        cache: the user's if not given.
        progress: told of what is under way.
    """

    def __init__(
        self,
        database: Database,
        *,
        offline: bool = False,
        indexes: tuple[str, ...] = (PYPI,),
        cache: Cache | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._database = database
        self._offline = offline
        self._indexes = indexes
        self._cache = cache
        self._progress = progress
        self._stack = ExitStack()
        self._source: IndexSource | None = None
        self._until: float | None = None
        self._answers = True

    def __enter__(self) -> Solver:  # noqa: PYI034  # nothing is derived from it
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def newest(self, name: Name, wanted: SpecifierSet) -> Version | None:
        """The newest release that a specifier allows and that has a file; ``None`` if no index tells."""
        if not self._in_time():
            return None
        try:
            releases = self._index().releases(name)
        except IndexUnavailable:
            self._answers = False
            return None
        return next(
            (
                release.version
                for release in releases
                if wanted.contains(release.version)
                and not release.version.is_prerelease
                and any(file.yanked is None for file in release.files)
            ),
            None,
        )

    def solves(self, after: Configuration) -> bool | None:
        """Is there a lock for this TensorFlow on this machine? ``None`` if no index, or no time, is left to tell."""
        from tfenv.overlay.overlay import FactsOverlay
        from tfenv.resolver import Conflict, resolve

        request = self._request(after)
        if request is None or not self._in_time():
            return None
        try:
            overlay = FactsOverlay(self._index(), self._database, request.target, keras=request.keras)
            resolve(request, overlay, pythons=self._database.images.pythons)
        except Conflict:
            return False
        except IndexUnavailable:
            self._answers = False
            return None
        return True

    def _request(self, after: Configuration) -> Goal | None:
        if after.tf is None:
            return None
        platform = after.platform or Platform.LINUX_X86_64
        try:
            gpus = tuple(self._database.gpus.find(name) for name in after.gpus)
        except UsageError:
            gpus = ()
        if after.capability is not None:
            name = gpus[0].name if gpus else str(after.capability)
            gpus = (Gpu(name=name, capability=after.capability), *gpus[1:])
        target = Target(
            platform=platform,
            python=after.python,
            accelerator=Accelerator.CUDA if after.accelerated else Accelerator.NONE,
            gpus=gpus,
            driver=after.driver,
            glibc=after.glibc,
            cpu=after.cpu,
        )
        if target.glibc is None and platform.is_linux:
            python = after.python or self._database.images.pythons[0]
            try:
                target = replace(target, glibc=self._database.images.python(python).glibc)
            except UsageError:
                return None
        specifier = release_specifier(after.tf)
        prereleases = bool(specifier.prereleases)
        return Goal(tensorflow=specifier, target=target, prereleases=prereleases, keras=after.keras)

    def _index(self) -> IndexSource:
        from tfenv.index.source import IndexSource
        from tfenv.model.progress import Silent
        from tfenv.store.cache import Cache

        if self._source is None:
            self._source = self._stack.enter_context(
                IndexSource(
                    self._indexes,
                    cache=self._cache or Cache(),
                    offline=self._offline,
                    progress=self._progress or Silent(),
                )
            )
        return self._source

    def _in_time(self) -> bool:
        if self._until is None:
            self._until = time.monotonic() + _SECONDS
        return self._answers and time.monotonic() < self._until
