"""What a question about TensorFlow is about: the release, the wheel that would be installed, its build. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model import tags
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts, WheelFacts
    from tfenv.model.build import Build

CPU, GPU = Name("tensorflow-cpu"), Name("tensorflow-gpu")
DISTRIBUTIONS = (TENSORFLOW, GPU, CPU)

WINDOWS_LIKE_LINUX = "https://www.tensorflow.org/install/source_windows#gpu"
"""The table of tested builds for Windows names the CUDA and cuDNN of the Linux wheels of the same release."""
_LIKE_LINUX = ("cudnn_floor", "sass", "ptx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One release on one platform and Python.

    Attributes:
        facts: the row of the distribution that would be installed.
        platform: where.
        python: ``X.Y``; the newest there is a wheel for where none was said, ``None`` if there is none.
        wheels: that fit platform and Python, whatever their glibc.
        build: ``None`` if nothing is known of it.
    """

    facts: ReleaseFacts
    platform: Platform
    python: Version | None
    wheels: tuple[WheelFacts, ...]
    build: Build | None

    @property
    def words(self) -> str:
        """`tensorflow 2.17.1`."""
        return f"{self.facts.name} {self.facts.version}"

    @property
    def source(self) -> str:
        """A wheel that stands for the release here, else the page that lists it."""
        return self.wheels[0].filename if self.wheels else self.facts.sources[0]


def versions(tf: str, database: Database) -> tuple[Version, ...]:
    """The releases that a version or a specifier names, newest first; `2.17` is any patch of it.

    A pre-release is one of them only if it is named; one that is not known, and a nightly build, stands for what its
    minor became.
    """
    try:
        asked = Version(tf)
    except ValueError:
        specifier = SpecifierSet(tf)
        return tuple(each for each in database.releases.versions(TENSORFLOW) if specifier.contains(each))
    exact = len(asked.release) > 2 or asked.is_prerelease
    stem = f"{asked.major}.{asked.minor}"
    stable = tuple(each for each in database.releases.versions_of(stem) if not each.is_prerelease)
    if not exact:
        return stable
    found = tuple(each for each in database.releases.versions_of(stem) if each == asked)
    return found or (stable if asked.is_prerelease and asked.local is None else ())


def subject(
    name: Name, version: Version, platform: Platform, python: Version | None, database: Database
) -> Subject | None:
    """A release of one distribution; ``None`` if the database has no such row."""
    facts = database.releases.release(name, version)
    if facts is None:
        return None
    here = tuple(wheel for wheel in facts.wheels if wheel.platform is platform.wheels)
    chosen = python or max(_pythons(facts, platform), default=None)
    fitting = tuple(wheel for wheel in here if chosen is not None and fits(wheel, platform, chosen))
    return Subject(facts=facts, platform=platform, python=chosen, wheels=fitting, build=build_on(facts, platform))


def build_on(facts: ReleaseFacts, platform: Platform) -> Build | None:
    """The build for a platform; where a Windows wheel tells nothing, what the Linux wheel of the same CUDA tells."""
    build = facts.build(platform)
    linux = facts.build(Platform.LINUX_X86_64)
    if platform is not Platform.WINDOWS_X86_64 or linux is None:
        return build
    if build is None:
        same = ("cuda", "cudnn", "sass", "ptx")
        return replace(linux, platform=platform, evidence=(*linux.evidence, WINDOWS_LIKE_LINUX), inferred=same)
    silent = tuple(name for name in _LIKE_LINUX if name in build.unknown and name not in linux.unknown)
    if not silent or build.cuda != linux.cuda:
        return build
    return replace(
        build,
        **{name: getattr(linux, name) for name in silent},
        partial=linux.partial if "sass" in silent else build.partial,
        unknown=tuple(name for name in build.unknown if name not in silent),
        inferred=(*build.inferred, *silent),
        evidence=(*build.evidence, linux.source),
    )


def fits(wheel: WheelFacts, platform: Platform, python: Version) -> bool:
    """Would this Python on this platform install the wheel, if its glibc is new enough?"""
    if wheel.requires_python is not None and not _range(wheel.requires_python).contains(_full(python)):
        return False
    return bool(fitting_tags(wheel, platform, python))


def fitting_tags(wheel: WheelFacts, platform: Platform, python: Version) -> tuple[Tag, ...]:
    """Those of its tags that fit."""
    ranks = tags.ranks(platform, _full(python))
    return tuple(tag for tag in wheel.tags if tag in ranks)


def pythons_of(facts: ReleaseFacts, platform: Platform) -> tuple[Version, ...]:
    """Each Python minor that a platform has a wheel for, oldest first."""
    return tuple(sorted(set(_pythons(facts, platform))))


def requirements(subject: Subject, database: Database) -> tuple[Requirement, ...]:
    """What the metadata of the wheel asks for here, each with the wheel as its source; extras left out.

    Where the wheel only points at another distribution (`tensorflow-intel`), what that one asks for is read off the
    Linux wheel of the same release.
    """
    python = subject.python or Version("3.10")
    for wheel in (*subject.wheels, *_others(subject, database)):
        if wheel.requires_dist is None:
            continue
        found = _asked(wheel.requires_dist, wheel.filename, subject.platform, python)
        if len(found) > 1:
            return found
    return ()


@lru_cache(maxsize=2048)
def _asked(texts: tuple[str, ...], source: str, platform: Platform, python: Version) -> tuple[Requirement, ...]:
    """Parsed once: fixes are looked for among the same wheels again and again."""
    values = {**tags.markers(platform, _full(python)), "extra": ""}
    found = (Requirement.of(PackagingRequirement(text), source=source) for text in texts)
    return tuple(each for each in found if each.marker is None or each.marker.evaluate(values))


@lru_cache(maxsize=256)
def _range(text: str) -> SpecifierSet:
    return SpecifierSet(text)


def offers_cuda_wheels(subject: Subject) -> bool:
    """Does the release bring CUDA by itself (`tensorflow[and-cuda]`)?"""
    return any("and-cuda" in text for wheel in subject.wheels for text in wheel.requires_dist or ())


def _others(subject: Subject, database: Database) -> Iterator[WheelFacts]:
    for name in (subject.facts.name, TENSORFLOW, CPU):
        facts = database.releases.release(name, subject.facts.version)
        for wheel in facts.wheels if facts is not None else ():
            if wheel.platform is Platform.LINUX_X86_64:
                yield wheel


def _pythons(facts: ReleaseFacts, platform: Platform) -> Iterator[Version]:
    for wheel in facts.wheels:
        if wheel.platform is platform.wheels:
            for tag in wheel.tags:
                digits = tag.interpreter.removeprefix("cp").removeprefix("py")
                if digits.isdigit() and len(digits) > 1:
                    yield Version(f"{digits[0]}.{digits[1:]}")


def _full(python: Version) -> Version:
    """A minor stands for its patch releases; a high number satisfies `>=3.6.1`."""
    return python if len(python.release) > 2 else Version(f"{python.major}.{python.minor}.99")
