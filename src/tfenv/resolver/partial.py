"""A world in which only some facts hold: what a conflict is measured in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.tags import Tag
from packaging.version import Version

from tfenv.model import tags
from tfenv.model.package import File, Metadata, Release
from tfenv.resolver.candidate import PYTHON
from tfenv.resolver.outcome import Kind, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from packaging.specifiers import SpecifierSet

    from tfenv.model.package import Name, Requirement
    from tfenv.model.target import Platform
    from tfenv.resolver.protocols import Source

GLIBC = "__glibc"


class Versions:
    """What was asked for of each project, heard while metadata is read."""

    def __init__(self) -> None:
        self._of: dict[Name, dict[SpecifierSet, None]] = {}

    def hear(self, requirements: Iterable[Requirement]) -> None:
        """Remember the bounds of requirements."""
        for requirement in requirements:
            self._of.setdefault(requirement.name, {})[requirement.specifier] = None

    def heard(self, name: Name) -> tuple[SpecifierSet, ...]:
        """All bounds on a project."""
        return tuple(self._of.get(name, ()))


class Shelf:
    """What was worked out once.

    Attributes:
        releases: releases with only some facts, by all that they depend on.
        files: files as published, by the name and the version that they have here.
    """

    def __init__(self) -> None:
        self.releases: dict[object, tuple[Release, ...]] = {}
        self.files: dict[tuple[str, Version], File] = {}


class PartialSource:
    """A `Source` that knows of another one only what some parts say.

    A project whose requirements are left out requires nothing; one whose files are left out has files for every Python
    and platform; one whose releases are left out has a release for every version that is asked for, with the
    requirements of the nearest one that there is.

    Args:
        source: the world as it is.
        parts: the facts of it that hold.
        platform: of the target.
        versions: what was asked for so far; such versions exist where it does not count which releases there are.
        shelf: releases made so far, shared by worlds of the same source.

    Attributes:
        reads_python: whether anything read so far depends on the Python.
    """

    def __init__(
        self, source: Source, parts: frozenset[Part], platform: Platform, versions: Versions, shelf: Shelf
    ) -> None:
        self._source = source
        self._parts = parts
        self._platform = platform
        self._versions = versions
        self._shelf = shelf
        self.reads_python = any(part.kind is Kind.FILES for part in parts)
        kinds = (Kind.REQUIRES, Kind.FILES)
        self._speaking = {part.name for part in parts if part.kind in kinds and part.subject != GLIBC}

    def releases(self, name: Name) -> tuple[Release, ...]:
        """Those of the source, their files as far as they count, and those that are imagined."""
        real, files, glibc = (part in self._parts for part in facts(name))
        key = (name, self._platform, real or self._versions.heard(name), files, glibc)
        if key not in self._shelf.releases:
            found = self._source.releases(name)
            if not (real and files and glibc):
                found = (*found, *(() if real else self._imagined(name, found)))
                told = [replace(each, files=tuple(map(self._as_told, self._chosen(each)))) for each in found]
                found = tuple(sorted(told, key=lambda release: release.version, reverse=True))
            self._shelf.releases[key] = found
        return self._shelf.releases[key]

    def metadata(self, file: File) -> Metadata:
        """As the source has it, less what is left out."""
        original = self._shelf.files.get((file.filename, file.version), file)
        if not original.url or file.name not in self._speaking:
            return Metadata(name=file.name, version=file.version)
        metadata = self._source.metadata(original)
        self._versions.hear(metadata.requires)
        kept = tuple(each for each in metadata.requires if self._holds(Kind.REQUIRES, file.name, each.name))
        self.reads_python |= any(reads_python(each) for each in kept)
        requires_python = metadata.requires_python if self._holds(Kind.FILES, file.name) else None
        # a stand-in keeps its own name; what was imagined keeps its own version
        version = file.version if metadata.version == original.version else metadata.version
        return replace(metadata, version=version, requires=kept, requires_python=requires_python)

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Everything that counts was asked for already."""

    def _holds(self, kind: Kind, name: str, subject: str = "") -> bool:
        return Part(kind=kind, name=name, subject=subject) in self._parts

    def _imagined(self, name: Name, found: tuple[Release, ...]) -> list[Release]:
        imagined = []
        for version in _missing(self._versions.heard(name), found):
            nearest = next((r for r in found if r.version <= version), found[-1] if found else None)
            originals = (_anywhere(name, version),) if nearest is None else nearest.files
            for file in originals:
                self._shelf.files[file.filename, version] = file
            files = tuple(replace(file, version=version, yanked=None) for file in originals)
            imagined.append(Release(name=name, version=version, files=files))
        return imagined

    def _chosen(self, release: Release) -> tuple[File, ...]:
        """Where the platform does not count, the files of this one if there are any."""
        if self._holds(Kind.FILES, release.name):
            return release.files
        here = tuple(file for file in release.files if any(self._serves(tag) for tag in file.tags))
        return here or release.files

    def _as_told(self, file: File) -> File:
        told = file
        if not self._holds(Kind.FILES, file.name):
            platforms = {tag.platform for tag in file.tags if self._serves(tag)} or {"any"}
            told = replace(told, requires_python=None, tags=frozenset(Tag("py3", "none", each) for each in platforms))
        if not self._holds(Kind.RELEASES, file.name):
            told = replace(told, yanked=None)
        if not self._holds(Kind.REQUIRES, file.name, GLIBC) and tags.glibc(told.tags) is not None:
            machine = "aarch64" if any(tag.platform.endswith("aarch64") for tag in told.tags) else "x86_64"
            renamed = (Tag(tag.interpreter, tag.abi, f"linux_{machine}") for tag in told.tags)
            told = replace(told, tags=frozenset(renamed))
        self._shelf.files.setdefault((told.filename, told.version), file)
        return told

    def _serves(self, tag: Tag) -> bool:
        return tags.serves(self._platform, tag.platform)


def _missing(heard: Iterable[SpecifierSet], found: tuple[Release, ...]) -> list[Version]:
    """A version for each of the bounds that no release meets."""
    missing: dict[Version, None] = {}
    for bounds in heard:
        if any(bounds.contains(each.version, prereleases=bool(bounds.prereleases)) for each in found):
            continue
        named = [Version(one.version.removesuffix(".*")) for one in bounds]
        tries = (each for one in (*named, Version("0")) for each in (one, Version(f"{one.base_version}.1")))
        missing |= dict.fromkeys([version for version in tries if bounds.contains(version)][:1])
    return list(missing)


def _anywhere(name: Name, version: Version) -> File:
    """A file of a project that there is not."""
    filename, tags = f"{name}-{version}-py3-none-any.whl", frozenset({Tag("py3", "none", "any")})
    return File(name=name, version=version, filename=filename, url="", sha256="", tags=tags)


def facts(name: str) -> tuple[Part, ...]:
    """What there is to say of the files of a project."""
    return (
        Part(kind=Kind.RELEASES, name=name),
        Part(kind=Kind.FILES, name=name),
        Part(kind=Kind.REQUIRES, name=name, subject=GLIBC),
    )


def reads_python(requirement: Requirement) -> bool:
    """Does it hold on some Pythons only?"""
    return requirement.name == PYTHON or "python" in str(requirement.marker or "")


def fact(parent: str, subject: str) -> Part:
    """What the releases of a project require of a subject; the Python is a fact of their files."""
    if subject == PYTHON:
        return Part(kind=Kind.FILES, name=parent)
    return Part(kind=Kind.REQUIRES, name=parent, subject=subject)
