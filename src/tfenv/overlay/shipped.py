"""Releases and metadata from the rows that come with tfenv, and from an index where the rows do not know a project."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tfenv.errors import IndexUnavailable
from tfenv.model.package import File, Metadata, Name, Release, Requirement
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from packaging.version import Version

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.source import Source

HARVESTED = tuple(map(Name, ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-cpu-aws")))
"""Distributions whose wheels are rows of `constraints/facts/tensorflow`."""

_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


class Shipped:
    """A `Source` of the rows.

    Args:
        database: the facts.
        index: asked for projects, and single releases, that are not among the rows; ``None`` if there is no index.
        minors: minor releases of TensorFlow that count (`2.17`); ``None`` for all.
        closed: whether requirements on projects that nobody can be asked for are left out, so that a search does not
            take them for a conflict.
        rows: whether the rows count; without them everything is asked of the index.

    Attributes:
        unasked: projects that are not among the rows and that no index could be asked for.
        silent: releases that were asked for and whose requirements the rows do not know.
    """

    def __init__(
        self,
        database: Database,
        index: Source | None = None,
        *,
        minors: Iterable[str] | None = None,
        closed: bool = False,
        rows: bool = True,
    ) -> None:
        self._database = database
        self._index = index
        self._closed = closed
        self._rows = rows
        self._minors = None if minors is None else frozenset(minors)
        self._made: dict[tuple[Name, Version], Release] = {}
        self.unasked: dict[Name, None] = {}
        self.silent: dict[tuple[Name, Version], None] = {}

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases of a project, newest first; empty if nobody knows it."""
        if not self._rows:
            return self._listed(name)
        if name in HARVESTED:
            stems = [stem for stem in self._database.releases.minors if self._minors is None or stem in self._minors]
            found = [
                self._of_row(row)
                for stem in stems
                for version in self._database.releases.versions_of(stem)
                if (row := self._database.releases.release(name, version)) is not None
            ]
            return tuple(sorted(found, key=lambda release: release.version, reverse=True))
        return self._database.projects.releases(name) or self._listed(name)

    def release(self, name: Name, version: Version) -> Release | None:
        """One release; ``None`` if nobody knows it."""
        if not self._rows:
            return next((release for release in self._listed(name) if release.version == version), None)
        if name in HARVESTED and (row := self._database.releases.release(name, version)) is not None:
            return self._of_row(row)
        found = None if name in HARVESTED else self._database.projects.release(name, version)
        if found is not None and (self._index is None or self._tells(name, version)):
            return found
        if self._index is None and name in (*HARVESTED, *self._database.projects.names):
            return found
        return next((release for release in self._listed(name) if release.version == version), found)

    def metadata(self, file: File) -> Metadata:
        """What a file requires; nothing, and `silent` names it, if the rows know the release but not its metadata.

        Raises:
            IndexUnavailable: the index has to tell, and does not.
        """
        if file.url and self._index is not None:
            return self._index.metadata(file)
        if file.name in HARVESTED:
            facts = self._database.releases.release(file.name, file.version)
            texts = None if facts is None else _read(facts, file.filename)
            python = None if facts is None else facts.requires_python
        else:
            row = self._database.projects.rows(file.name).get(file.version)
            texts = None if row is None else row.requires
            python = None if row is None else row.requires_python or None
        if texts is None:
            self.silent[file.name, file.version] = None
        return Metadata(
            name=file.name,
            version=file.version,
            requires_python=None if python is None else SpecifierSet(python),
            requires=tuple(one for one in parsed(texts or ()) if not self._closed or self._is_known(one.name)),
            extras=frozenset(canonicalize_name(extra) for text in texts or () for extra in _EXTRA.findall(text)),
            dynamic=texts is None,
            source=file.filename,
        )

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Passed on, as far as the index will be asked."""
        if self._index is None:
            return
        ahead: list[Name | File] = []
        for one in wanted:
            if isinstance(one, str):
                if one not in HARVESTED and one not in self._database.projects.names:
                    ahead.append(one)
            elif one.url:
                ahead.append(one)
        if ahead:
            self._index.expect(ahead, then)

    def _tells(self, name: Name, version: Version) -> bool:
        """Whether the rows know what a release requires."""
        row = self._database.projects.rows(name).get(version)
        return row is not None and row.requires is not None

    def _is_known(self, name: Name) -> bool:
        return name in HARVESTED or name in self._database.projects.names or bool(self._listed(name))

    def _of_row(self, row: ReleaseFacts) -> Release:
        key = (row.name, row.version)
        if key not in self._made:
            self._made[key] = _release(row)
        return self._made[key]

    def _listed(self, name: Name) -> tuple[Release, ...]:
        if self._index is not None:
            try:
                return self._index.releases(name)
            except IndexUnavailable:
                pass
        self.unasked[name] = None
        return ()


@lru_cache(maxsize=4096)
def parsed(texts: tuple[str, ...]) -> tuple[Requirement, ...]:
    """Requirements as they are declared; what cannot be read, and what names a URL, is left out."""
    found = []
    for text in texts:
        try:
            found.append(Requirement.of(PackagingRequirement(text)))
        except (InvalidRequirement, ValueError):
            continue
    return tuple(found)


@lru_cache(maxsize=256)
def _range(text: str) -> SpecifierSet:
    return SpecifierSet(text)


def _release(row: ReleaseFacts) -> Release:
    files = tuple(
        File(
            name=row.name,
            version=row.version,
            filename=wheel.filename,
            url="",
            sha256=wheel.sha256,
            requires_python=None if wheel.requires_python is None else _range(wheel.requires_python),
            yanked=wheel.yanked,
            tags=wheel.tags,
        )
        for wheel in row.wheels
    )
    return Release(name=row.name, version=row.version, files=files)


def _read(facts: ReleaseFacts, filename: str) -> tuple[str, ...] | None:
    """The requirements of a wheel; of one that was never opened, those of the most similar wheel of the release.

    Wheels for one platform agree. Those for Linux on x86-64 come next: on another platform the wheel of a release may
    hold nothing, and require another distribution instead.
    """
    own = facts.wheel(filename)
    if own is None:
        return None
    if own.requires_dist is not None:
        return own.requires_dist
    read = [wheel for wheel in facts.wheels if wheel.requires_dist is not None]
    similar = min(
        read,
        key=lambda wheel: (wheel.platform is not own.platform, wheel.platform is not Platform.LINUX_X86_64),
        default=None,
    )
    return None if similar is None else similar.requires_dist
