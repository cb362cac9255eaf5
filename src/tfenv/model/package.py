"""Distributions on an index: files, releases, what they require."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NewType

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from datetime import datetime

    from packaging.markers import Marker
    from packaging.requirements import Requirement as PackagingRequirement
    from packaging.tags import Tag
    from packaging.version import Version

Name = NewType("Name", str)
"""A normalized project name (PEP 503), or the name of a virtual package (`python`, `__driver`)."""

TENSORFLOW = Name("tensorflow")

TENSORFLOWS = (
    TENSORFLOW,
    Name("tensorflow-cpu"),
    Name("tensorflow-gpu"),
    Name("tensorflow-rocm"),
    Name("tensorflow-tpu"),
    Name("tensorflow-macos"),
)
"""Distributions that a lock may have as its TensorFlow; where one only points at another, the first is it."""


def normalize(name: str) -> Name:
    """The one spelling of a project name (PEP 503)."""
    return Name(canonicalize_name(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a release, as the index describes it.

    Attributes:
        name: normalized project name.
        version: of the release it belongs to.
        filename: as published.
        url: absolute, without credentials.
        sha256: lower-case hex; ``None`` where the index gives no SHA-256.
        size: in bytes, ``None`` if not told.
        upload_time: in UTC, ``None`` if not told.
        requires_python: ``None`` if the index does not say (then only the metadata can).
        yanked: the reason (perhaps empty) if yanked, else ``None``.
        metadata_sha256: of the PEP 658 metadata file; empty if there is one of unknown hash; ``None`` if there is none.
        tags: of a wheel; empty for a source distribution.
        build: build tag of a wheel, `()` if none (orders wheels that are otherwise equal).
        index: URL of the index that listed it, without credentials.
    """

    name: Name
    version: Version
    filename: str
    url: str
    sha256: str | None
    size: int | None = None
    upload_time: datetime | None = None
    requires_python: SpecifierSet | None = None
    yanked: str | None = None
    metadata_sha256: str | None = None
    tags: frozenset[Tag] = frozenset()
    build: tuple[int, str] | tuple[()] = ()
    index: str = ""

    @property
    def is_wheel(self) -> bool:
        """Wheels are installed as they are; anything else is a source distribution."""
        return self.filename.endswith(".whl")

    @property
    def kept(self) -> File:
        """The file as a lock keeps it, without what only resolving needs."""
        return replace(self, requires_python=None, metadata_sha256=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a project and its files (wheels and source distributions; nothing else)."""

    name: Name
    version: Version
    files: tuple[File, ...]

    @property
    def is_yanked(self) -> bool:
        """Was every file of it yanked?"""
        return all(file.yanked is not None for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Something wanted of a package, real or virtual.

    Attributes:
        name: of the project, or of a virtual package: `python`, `__driver`, `__compute_capability`, `__glibc`,
            `__cpu`, `__platform`, `__cuda`.
        specifier: all of these must hold.
        any_of: if not empty, at least one of these must hold too (`__compute_capability` in 7.x or 8.x).
        extras: normalized.
        marker: when it applies; ``None`` is always.
        because: why, in one clause, for explanations; empty for plain metadata.
        source: the wheel, row or URL that says so.
        code: code of the problem (see the contract) where the requirement is not met; empty if it follows from who
            requires what.
        tier: evidence tier of the row that the requirement is from; empty for metadata.
        brought: `metadata` if the metadata of the release names the project, so that every installer brings it along;
            `fact` if only the facts do.
    """

    name: Name
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    any_of: tuple[SpecifierSet, ...] = ()
    extras: frozenset[str] = frozenset()
    marker: Marker | None = None
    because: str = ""
    source: str = ""
    code: str = ""
    tier: str = ""
    brought: Literal["metadata", "fact"] = "metadata"

    @classmethod
    def of(cls, requirement: PackagingRequirement, *, because: str = "", source: str = "") -> Requirement:
        """From a parsed PEP 508 requirement.

        Raises:
            ValueError: it names a URL, which a lock for an index cannot hold.
        """
        if requirement.url is not None:
            raise ValueError(f"`{requirement}` asks for a URL; tfenv locks releases of an index only")
        return cls(
            name=normalize(requirement.name),
            specifier=requirement.specifier,
            extras=frozenset(canonicalize_name(extra) for extra in requirement.extras),
            marker=requirement.marker,
            because=because,
            source=source,
        )

    def may_hold(self, extra: str) -> bool:  # noqa: ARG002  # for those that know more
        """Could the marker hold where this extra is asked for (`""`: none)? Answered without evaluating it."""
        return True

    def allows(self, version: Version) -> bool:
        """Does the version satisfy the specifiers? (Whether pre-releases may be taken is decided elsewhere.)"""
        return self.specifier.contains(version, prereleases=True) and (
            not self.any_of or any(spec.contains(version, prereleases=True) for spec in self.any_of)
        )

    def __str__(self) -> str:
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        marker = f"; {self.marker}" if self.marker is not None else ""
        either = " or ".join(str(spec) for spec in self.any_of)
        return f"{self.name}{extras}{self.specifier}{either}{marker}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the core metadata of one file says.

    Attributes:
        requires_python: ``None`` if not said.
        requires: as declared, markers and extras included.
        extras: that the release offers, normalized.
        dynamic: the metadata is of a source distribution that computes its requirements while building, so
            `requires` is the best that can be known without running it.
        source: the file that was read.
    """

    name: Name
    version: Version
    requires_python: SpecifierSet | None = None
    requires: tuple[Requirement, ...] = ()
    extras: frozenset[str] = frozenset()
    dynamic: bool = False
    source: str = ""
