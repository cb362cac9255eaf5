"""Files and requirements of every release of TensorFlow's dependencies and companions (`projects.zip`).

`check` uses them to judge an environment without an index. A release that is newer than the rows is not in them.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag
from packaging.version import Version

from tfenv.facts.location import damaged
from tfenv.model.package import File, Name, Release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


OLDEST = Version("3.5")
"""Wheels for older Pythons are not in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRelease:
    """One release of a project.

    Attributes:
        version: release of the project.
        requires_python: specifier that its files declare, empty if they declare none.
        tags: what follows name and version in the filename of each wheel, such as `py3-none-any`.
        source: whether it has a source distribution.
        yanked: whether all its files are yanked.
        requires: requirements that its metadata declares, those of extras left out; ``None`` if no metadata could be
            read.
    """

    version: Version
    requires_python: str
    tags: tuple[str, ...]
    source: bool
    yanked: bool
    requires: tuple[str, ...] | None


class ProjectTable:
    """The projects; each is read when it is first asked for.

    Args:
        path: file `constraints/facts/projects.zip`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[Name, dict[Version, ProjectRelease]] = {}
        self._releases: dict[Name, tuple[Release, ...]] = {}
        self._single: dict[tuple[Name, Version], Release | None] = {}

    @cached_property
    def _archive(self) -> zipfile.ZipFile | None:
        """The archive of rows; ``None`` if the file does not exist."""
        return zipfile.ZipFile(BytesIO(self._path.read_bytes())) if self._path.is_file() else None

    @cached_property
    def names(self) -> frozenset[Name]:
        """Normalized names of all projects of the table."""
        members = () if self._archive is None else self._archive.namelist()
        return frozenset(Name(member.removesuffix(".json")) for member in members)

    def rows(self, name: Name) -> Mapping[Version, ProjectRelease]:
        """The releases of a project by version; empty for a project that is not in the table.

        Raises:
            UsageError: the row of the project is damaged.
        """
        if name not in self._rows:
            found: list[ProjectRelease] = []
            if self._archive is not None and name in self.names:
                try:
                    found = loads(self._archive.read(f"{name}.json").decode())
                except (ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
                    raise damaged(self._path, error) from None
            self._rows[name] = {row.version: row for row in found}
        return self._rows[name]

    def release(self, name: Name, version: Version) -> Release | None:
        """One release of a project as an index would list it; ``None`` if it is not in the table."""
        key = (name, version)
        if key not in self._single:
            row = self.rows(name).get(version)
            self._single[key] = (
                None if row is None else Release(name=name, version=version, files=tuple(_files(name, row)))
            )
        return self._single[key]

    def releases(self, name: Name) -> tuple[Release, ...]:
        """The releases of a project as an index would list them, newest first."""
        if name not in self._releases:
            rows = self.rows(name)
            self._releases[name] = tuple(
                Release(name=name, version=version, files=tuple(_files(name, rows[version])))
                for version in sorted(rows, reverse=True)
            )
        return self._releases[name]


def pack(rows: Mapping[Name, list[ProjectRelease]]) -> bytes:
    """The bytes of the file: a member for each project, in order and without times: equal rows make equal bytes."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(rows):
            archive.writestr(zipfile.ZipInfo(f"{name}.json"), dumps(rows[name]), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def loads(text: str) -> list[ProjectRelease]:
    """The releases of one member.

    Raises:
        ValueError: it is not JSON, or a version in it is not valid.
        KeyError: a table is missing.
        IndexError: a row refers to an entry that does not exist.
    """
    document = json.loads(text)
    tags, requires = document["tags"], document["requires"]
    return [
        ProjectRelease(
            version=Version(version),
            requires_python=python,
            tags=tuple(tags[number] for number in numbers),
            source=bool(source),
            yanked=bool(yanked),
            requires=None if asks is None else tuple(requires[asks]),
        )
        for version, python, numbers, source, yanked, asks in document["releases"]
    ]


def dumps(rows: list[ProjectRelease]) -> str:
    """The text of one member: one release a line, newest first; repeated tags and requirements are written once."""
    tags: dict[str, int] = {}
    requires: dict[tuple[str, ...], int] = {}
    lines: list[list[Any]] = []
    for row in sorted(rows, key=lambda row: row.version, reverse=True):
        numbers = [tags.setdefault(tag, len(tags)) for tag in row.tags]
        asks = None if row.requires is None else requires.setdefault(row.requires, len(requires))
        lines.append([str(row.version), row.requires_python, numbers, int(row.source), int(row.yanked), asks])

    def block(values: list[Any]) -> str:
        return ",\n".join(json.dumps(value, separators=(",", ":")) for value in values)

    return (
        f'{{"tags":[\n{block(list(tags))}\n],"requires":[\n{block([list(each) for each in requires])}\n],'
        f'"releases":[\n{block(lines)}\n]}}\n'
    )


def _files(name: Name, row: ProjectRelease) -> list[File]:
    stem = f"{name.replace('-', '_')}-{row.version}"
    python = SpecifierSet(row.requires_python) if row.requires_python else None
    yanked = "" if row.yanked else None
    files = []
    for text in row.tags:
        *build, interpreter, abi, platform = text.split("-")
        files.append(
            File(
                name=name,
                version=row.version,
                filename=f"{stem}-{text}.whl",
                url="",
                sha256=None,
                requires_python=python,
                yanked=yanked,
                tags=parse_tag(f"{interpreter}-{abi}-{platform}"),
                build=_build(build[0]) if build else (),
            )
        )
    if row.source:
        filename = f"{stem}.tar.gz"
        files.append(
            File(
                name=name,
                version=row.version,
                filename=filename,
                url="",
                sha256=None,
                requires_python=python,
                yanked=yanked,
            )
        )
    return files


def _build(text: str) -> tuple[int, str]:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits or 0), text[len(digits) :]
