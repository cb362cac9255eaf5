"""Files that the search will probably need, requested before it needs them."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.model.package import Requirement
from tfenv.resolver.candidate import is_virtual, wants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from tfenv.model.package import File, Name
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.catalog import Catalog

_TRIED = 8
"""How many releases to look through for one that has a file for the target."""
_MORE = 4
"""For how many of the next releases metadata is expected once one was turned down; doubled each time."""


class Ahead:
    """Goes through what is required level by level, as fast as the source answers, while the search waits for it.

    The search pins one project at a time, and would wait twice for each: for the page, and for the metadata. Here the
    newest release that goes with what is known so far is taken for granted. Nothing but what is expected of the source
    comes of it: what is chosen does not depend on which answer came first.

    Args:
        catalog: that the search chooses from.
        first: the project that the search begins with; nothing is read before that one was.
        preferred: versions to try first.
        holds: does the marker of a requirement hold on a Python with an extra?
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        first: Name,
        preferred: Mapping[Name, Version],
        holds: Callable[[Requirement, Version, str], bool],
    ) -> None:
        self._catalog = catalog
        self._first = first
        self._preferred = preferred
        self._holds = holds
        self._chosen: File | None = None
        self._held_up: list[Callable[[], None]] = []
        self._of_first: dict[str, None] = {}
        self._asked: dict[Name, list[Requirement]] = {}
        self._certain: dict[Name, list[Requirement]] = {}
        self._followed: set[tuple[str, int]] = set()
        self._read: set[tuple[str, str]] = set()
        self._turned_down: dict[Name, set[Version]] = {}

    def follow(self, wanted: Iterable[Want], python: Version, *, certain: bool = False) -> None:
        """Expect the projects that are wanted, and what they require; what is certain no choice can change."""
        for want in wanted:
            name, identifier, requirement = want.requirement.name, want.identifier, want.requirement
            if is_virtual(identifier) or (identifier, id(requirement)) in self._followed:
                continue
            self._followed.add((identifier, id(requirement)))
            self._asked.setdefault(name, []).append(requirement)
            if certain:
                self._certain.setdefault(name, []).append(requirement)
            if name != self._first:
                self._catalog.source.expect([name], partial(self._choose, name, identifier, python))
            elif self._chosen is not None:
                self._go_on(identifier, self._chosen, python)
            else:
                self._of_first[identifier] = None
                self._catalog.source.expect([name])

    def begin(self, file: File, python: Version) -> None:
        """The search chose a file of its first project; whatever was taken for certain with another is not any more."""
        only = Requirement(name=self._first, specifier=SpecifierSet(f"=={file.version}"))
        self._certain = {self._first: [only]}
        self._chosen = file
        for identifier in tuple(self._of_first):
            self._go_on(identifier, file, python)
        for read in tuple(self._held_up):
            read()
        self._held_up.clear()

    def take(self, identifier: str, file: File, python: Version) -> None:
        """Expect the metadata of a file, and what it requires."""
        self._catalog.source.expect([file], partial(self._go_on, identifier, file, python))

    def _choose(self, name: Name, identifier: str, python: Version) -> None:
        """The page of a project is there."""
        turned_down = self._turned_down.get(name, set())
        for asked in (self._asked, self._certain):
            files = self._files(name, asked.get(name, ()), turned_down, python)
            if (file := next(files, None)) is not None:
                if turned_down:
                    self._catalog.source.expect(list(islice(files, _MORE * len(turned_down))))
                self.take(identifier, file, python)
                return

    def _files(
        self, name: Name, asked: Sequence[Requirement], turned_down: set[Version], python: Version
    ) -> Iterator[File]:
        """Of the releases that come into question, newest first."""
        found = self._catalog.matching(name, asked, preferred=self._preferred.get(name))
        for release in islice(found, len(turned_down) + _TRIED):
            if release.version not in turned_down:
                file, _ = self._catalog.choice(release, python)
                if file is not None:
                    yield file

    def _go_on(self, identifier: str, file: File, python: Version) -> None:
        """The metadata of a file is there."""
        if self._chosen is None:
            self._held_up.append(partial(self._go_on, identifier, file, python))
            return
        if (identifier, file.filename) in self._read:
            return
        _, _, extra = identifier.rstrip("]").partition("[")
        required = [
            requirement
            for requirement in self._catalog.source.metadata(file).requires
            if requirement.may_hold(extra) and self._holds(requirement, python, extra)
        ]
        self._read.add((identifier, file.filename))
        certain = file.name == self._first
        if not certain:
            for requirement in required:
                if requirement.name not in self._certain:
                    continue
                if not self._catalog.knows(requirement.name):
                    later = partial(self._check, requirement, identifier, file, python)
                    self._catalog.source.expect([requirement.name], later)
                elif self._is_hopeless(requirement):
                    self._turn_down(identifier, file, python)
                    return
        for requirement in required:
            self.follow(wants(requirement, python), python, certain=certain)

    def _check(self, requirement: Requirement, identifier: str, file: File, python: Version) -> None:
        """The page of a project that a file requires is there."""
        self._catalog.releases(requirement.name)
        if self._is_hopeless(requirement):
            self._turn_down(identifier, file, python)

    def _is_hopeless(self, requirement: Requirement) -> bool:
        """Does no release meet it beside what is certain?"""
        certain = self._certain.get(requirement.name, ())  # the search may have begun anew since this was asked
        return next(self._catalog.matching(requirement.name, (*certain, requirement)), None) is None

    def _turn_down(self, identifier: str, file: File, python: Version) -> None:
        turned_down = self._turned_down.setdefault(file.name, set())
        if file.version not in turned_down:
            turned_down.add(file.version)
            self._choose(file.name, identifier, python)
