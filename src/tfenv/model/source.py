"""Where releases and their metadata come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.model.package import File, Metadata, Name, Release


class Source(Protocol):
    """The one seam of the resolver: an index, the facts laid over an index, or a few releases in memory.

    It stands in the vocabulary because the resolver asks it and the facts wrap it.
    """

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases of a project, newest version first; empty if nobody knows the name.

        Raises:
            IndexUnavailable: an index did not answer.
        """
        ...

    def metadata(self, file: File) -> Metadata:
        """What one file requires.

        Raises:
            IndexUnavailable: an index did not answer.
        """
        ...

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Hint that these will be asked for soon; returns at once and never fails.

        Args:
            wanted: projects (their releases), and files (their metadata).
            then: may be called for each of them that is there, while something else is asked for: in the same thread,
                or never.
        """
        ...
