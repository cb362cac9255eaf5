"""Sources of releases and their metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.model.package import File, Metadata, Name, Release


class Source(Protocol):
    """A source of releases for the resolver: an index, the facts laid over an index, or releases in memory.

    It belongs to the vocabulary because the resolver reads it and the facts wrap it.
    """

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases of a project, newest version first; empty if the project is not known.

        Raises:
            IndexUnavailable: an index did not answer.
        """
        ...

    def metadata(self, file: File) -> Metadata:
        """The metadata of one file.

        Raises:
            IndexUnavailable: an index did not answer.
        """
        ...

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Announce queries that will follow soon; returns at once and never fails.

        Args:
            wanted: projects, for their releases, and files, for their metadata.
            then: function that may be called for each available one during later queries, in the same thread, or never.
        """
        ...
