"""`facts update --projects`: files and requirements of every release of TensorFlow's companions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import TfenvError
from tfenv.facts.projects import ProjectRelease, ProjectTable, pack
from tfenv.model.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tfenv.model.package import File, Name, Release
    from tfenv.model.source import Source

_TASK = "projects"
_TOGETHER = 12
"""Projects whose pages are asked for at once."""
_USELESS = re.compile(
    r"^(?:\d\w*-)?(?:pp|graalpy|cp2|cp30|cp31-|cp32|cp33|cp34|py2-|py26|py27)|-cp\d+t-"
    r"|win32|win_arm64|i686|i386|ppc64|s390x|armv[67]l|musllinux|ios_|android|wasm|emscripten|riscv64|universal$|intel$"
)
"""Wheels that no target of tfenv installs."""
_OF_AN_EXTRA = re.compile(r";.*\bextra\s*==")


def names_of(path: Path) -> tuple[str, ...]:
    """The projects that a list names, one a line; what follows `#` is a comment."""
    lines = (line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(name for words in lines for name in words)


def update(
    path: Path,
    names: Iterable[Name],
    source: Source,
    told: Callable[[str], None],
    *,
    write: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Read the releases of the projects off an index, and the metadata of one wheel of each.

    Pre-releases count only where a project has nothing else.

    Args:
        path: file `constraints/facts/projects.zip`.
        names: projects to read.
        source: an index.
        told: called with one line for each project whose rows differ.
        write: whether to write the file.
        progress: notified of each project.

    Returns:
        Whether any row differs.

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    progress, names = progress or Silent(), tuple(names)
    before, rows = ProjectTable(path), {}
    progress.start(_TASK, len(names))
    for number in range(0, len(names), _TOGETHER):
        source.expect(names[number : number + _TOGETHER])
        for name in names[number : number + _TOGETHER]:
            every = source.releases(name)
            releases = [release for release in every if not release.version.is_prerelease] or every
            source.expect([file for release in releases if (file := _read(release)) is not None])
            rows[name] = [row for release in releases if (row := _row(release, source)) is not None]
            if rows[name] != [before.rows(name)[version] for version in sorted(before.rows(name), reverse=True)]:
                told(f"{name}: {len(rows[name])} releases, {len(before.rows(name))} before")
            progress.advance(_TASK)
    progress.finish(_TASK)
    packed = pack({name: releases for name, releases in rows.items() if releases})
    changed = not path.is_file() or path.read_bytes() != packed
    if write and changed:
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(packed)
        temporary.replace(path)
    return changed


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
    """The wheel whose metadata counts for the release: one for Linux, with its metadata beside it, if there is any."""
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
