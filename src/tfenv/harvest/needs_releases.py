"""Which releases of a project are read for their needs, and the rows that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.facts.needs import NeedRow, NeedTable
    from tfenv.model.package import File, Name, Release

SINCE: Final = datetime(2019, 1, 1, tzinfo=UTC)
"""Older releases are not read."""

LARGEST: Final = 40 * 2**20
"""Bytes of Python code that are read of one file."""

_MOST_RELEASES: Final = 150
_FEW_MINORS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseNeeds:
    """What one release needs, as rows without their range."""

    version: Version
    rows: tuple[NeedRow, ...]


def recent(releases: Iterable[Release]) -> list[Release]:
    """The releases to be read, newest first."""
    stable = [
        release
        for release in releases
        if not release.version.is_prerelease
        and not release.is_yanked
        and any(file.upload_time is not None and file.upload_time >= SINCE for file in release.files)
    ]
    stable.sort(key=lambda release: release.version, reverse=True)
    return stable[:_MOST_RELEASES]


def ends(releases: Iterable[Release]) -> set[Version]:
    """The oldest and the newest release of each minor release; all of a project with few minor releases."""
    minors: dict[tuple[int, int], list[Version]] = {}
    for release in releases:
        minors.setdefault((release.version.major, release.version.minor), []).append(release.version)
    if len(minors) < _FEW_MINORS:
        return {version for same in minors.values() for version in same}
    return {version for same in minors.values() for version in (min(same), max(same))}


def between(releases: Iterable[Release], reads: Mapping[Version, ReleaseNeeds]) -> list[Release]:
    """Releases in the middle of two of one minor release that were read and need different things."""
    unread = sorted((release for release in releases if release.version not in reads), key=lambda one: one.version)
    found = []
    for first, last in pairwise(sorted(reads)):
        inside = [release for release in unread if first < release.version < last]
        if inside and _keys(reads[first]) != _keys(reads[last]):
            found.append(inside[len(inside) // 2])
    return found


def _keys(read: ReleaseNeeds) -> set[tuple[str, str, str]]:
    return {(row.requires, str(row.beside), row.legacy) for row in read.rows}


def code_file(release: Release) -> File | None:
    """The file whose code counts: a wheel of pure Python, one for Linux, else a source distribution of bounded size."""
    files = [file for file in release.files if file.is_wheel or (file.size or LARGEST) < LARGEST // 2]
    return max(
        files,
        key=lambda file: (
            file.is_wheel,
            "any" in file.filename or ("linux" in file.filename and "x86_64" in file.filename),
            file.filename,
        ),
        default=None,
    )


def known_needs(name: Name, table: NeedTable) -> list[ReleaseNeeds]:
    """What the table says of each release of a project that was read."""
    return [
        ReleaseNeeds(
            version=Version(text),
            rows=tuple(row for row in table.rows if row.package == name and row.versions.contains(text)),
        )
        for text in table.read.get(name, ())
    ]


def merged(reads: list[ReleaseNeeds]) -> list[NeedRow]:
    """The rows of a project: one for each run of releases that need the same."""
    runs: dict[tuple[str, str, str], list[tuple[int, int, NeedRow]]] = {}
    for position, one in enumerate(reads):
        for row in one.rows:
            same = runs.setdefault((row.requires, str(row.beside), row.legacy), [])
            if same and same[-1][1] == position - 1:
                same[-1] = (same[-1][0], position, row)
            elif not same or same[-1][1] != position:
                same.append((position, position, row))
    found = []
    for spans in runs.values():
        for first, last, row in spans:
            after = f">{reads[first - 1].version}" if first else f">={reads[0].version}"
            found.append((first, replace(row, versions=SpecifierSet(f"{after},<={reads[last].version}"))))
    return [row for _, row in sorted(found, key=lambda pair: (pair[0], pair[1].requires))]
