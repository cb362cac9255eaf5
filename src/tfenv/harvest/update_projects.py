"""Files and requirements of every release of TensorFlow's dependencies and companions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import TfenvError
from tfenv.facts.projects import ProjectRelease, ProjectTable, pack
from tfenv.harvest.update import UpdatedTable
from tfenv.index.source import IndexSource
from tfenv.model.package import normalize
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from tfenv.harvest.update import Update
    from tfenv.model.package import File, Name, Release
    from tfenv.model.source import Source

_LIST = "facts/projects.txt"
_FILE = "facts/projects.zip"
_TASK = "projects"
_TOGETHER = 12
"""Number of projects whose pages are requested concurrently."""
_USELESS = re.compile(
    r"^(?:\d\w*-)?(?:pp|graalpy|cp2|cp30|cp31-|cp32|cp33|cp34|py2-|py26|py27)|-cp\d+t-"
    r"|win32|win_arm64|i686|i386|ppc64|s390x|armv[67]l|musllinux|ios_|android|wasm|emscripten|riscv64|universal$|intel$"
)
"""Tags of wheels that no target of tfenv installs."""
_OF_AN_EXTRA = re.compile(r";.*\bextra\s*==")


def names_of(text: str) -> tuple[Name, ...]:
    """The projects in a list with one or more names a line; `#` starts a comment."""
    words = (word for line in text.splitlines() for word in line.partition("#")[0].split())
    return tuple(map(normalize, words))


def refresh(update: Update) -> None:
    """Read the releases of the listed projects from the index, and the metadata of one wheel of each.

    Pre-releases are included only for projects that have nothing else.

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    with IndexSource((update.index,), cache=update.cache or Cache(), progress=update.progress) as source:
        _update(update, source, names_of(update.text(_LIST)))


def _update(update: Update, source: Source, names: tuple[Name, ...]) -> None:
    before, report = ProjectTable(update.root / _FILE), update.report
    rows: dict[Name, list[ProjectRelease]] = {}
    report.checked = len(names)
    update.progress.start(_TASK, len(names))
    for number in range(0, len(names), _TOGETHER):
        source.expect(names[number : number + _TOGETHER])
        for name in names[number : number + _TOGETHER]:
            every = source.releases(name)
            releases = [release for release in every if not release.version.is_prerelease] or every
            source.expect([file for release in releases if (file := _read(release)) is not None])
            rows[name] = [row for release in releases if (row := _row(release, source)) is not None]
            known = before.rows(name)
            same = rows[name] == [known[version] for version in sorted(known, reverse=True)]
            report.kept += same
            if not same:
                report.read += 1
                report.notes.append(f"{name}: {len(rows[name])} releases, {len(known)} before")
            update.progress.advance(_TASK)
    update.progress.finish(_TASK)
    update.put(_FILE, pack({name: releases for name, releases in rows.items() if releases}))


def _row(release: Release, source: Source) -> ProjectRelease | None:
    stem = len(release.files) and f"-{release.version}-"
    if not stem:
        return None
    wheels = [file for file in release.files if file.is_wheel]
    tags = sorted("-".join(_after_version(file.filename)) for file in wheels)
    kept = tuple(tag for tag in tags if not _USELESS.search(tag))
    has_source = any(not file.is_wheel for file in release.files)
    if not kept and not has_source:
        return None
    return ProjectRelease(
        version=release.version,
        requires_python=next((str(f.requires_python) for f in release.files if f.requires_python is not None), ""),
        tags=kept,
        source=has_source,
        yanked=all(file.yanked is not None for file in release.files),
        requires=_requires(release, source),
    )


def _after_version(filename: str) -> list[str]:
    """`name-version-(build-)python-abi-platform.whl` without name and version."""
    return filename.removesuffix(".whl").split("-")[2:]


def _read(release: Release) -> File | None:
    """The wheel whose metadata represents the release, preferably for Linux and with separate metadata on the index."""
    wheels = [file for file in release.files if file.is_wheel]
    wheels = [file for file in wheels if not _USELESS.search("-".join(_after_version(file.filename)))] or wheels
    return max(
        wheels,
        key=lambda file: (
            file.metadata_sha256 is not None,
            "linux" in file.filename and "x86_64" in file.filename,
            file.filename,
        ),
        default=None,
    )


def _requires(release: Release, source: Source) -> tuple[str, ...] | None:
    file = _read(release)
    if file is None:
        return None
    try:
        metadata = source.metadata(file)
    except TfenvError:
        return None
    return tuple(text for text in map(str, metadata.requires) if _OF_AN_EXTRA.search(text) is None)


TABLE = UpdatedTable(name="projects", about="releases of TensorFlow's dependencies and companions", refresh=refresh)
