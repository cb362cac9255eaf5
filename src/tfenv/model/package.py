"""Distributions on an index: files, releases and requirements."""

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
"""Distributions that can be the TensorFlow of a lock; if one of them only requires another, the first counts."""


def normalize(name: str) -> Name:
    """The normalized form of a project name (PEP 503)."""
    return Name(canonicalize_name(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a release, as the index describes it.

    Attributes:
        name: normalized project name.
        version: version of its release.
        filename: filename as published.
        url: absolute URL without credentials.
        sha256: SHA-256 in lower-case hex; ``None`` if the index has none.
        size: size in bytes; ``None`` if not known.
        upload_time: upload time in UTC; ``None`` if not known.
        requires_python: specifier; ``None`` if the index has none (the metadata may have one).
        yanked: reason (possibly empty) if yanked, otherwise ``None``.
        metadata_sha256: SHA-256 of the PEP 658 metadata file; empty if not known; ``None`` if there is no such file.
        tags: tags of a wheel; empty for a source distribution.
        build: build tag of a wheel, `()` if none; it orders otherwise equal wheels.
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
        """Whether the file is a wheel; otherwise it is a source distribution."""
        return self.filename.endswith(".whl")

    @property
    def kept(self) -> File:
        """The file as a lock stores it, without fields that only resolution needs."""
        return replace(self, requires_python=None, metadata_sha256=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a project and its files (wheels and source distributions; nothing else)."""

    name: Name
    version: Version
    files: tuple[File, ...]

    @property
    def is_yanked(self) -> bool:
        """Whether all files of the release are yanked."""
        return all(file.yanked is not None for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A requirement on a package, real or virtual.

    Attributes:
        name: name of the project, or of a virtual package: `python`, `__driver`, `__compute_capability`, `__glibc`,
            `__cpu`, `__platform`, `__cuda`.
        specifier: specifiers that must all hold.
        any_of: alternatives; if not empty, at least one must hold too (`__compute_capability` in 7.x or 8.x).
        extras: normalized names of extras.
        marker: condition under which it applies; ``None`` for always.
        because: reason in one clause, for explanations; empty for plain metadata.
        source: wheel, row or URL that states it.
        code: code of the problem if the requirement is not met; empty if it follows from the packages involved.
        tier: evidence tier of the row that the requirement is from; empty for metadata.
        brought: `metadata` if the metadata of the release names the project, so that every installer installs it;
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
        """The requirement from a parsed PEP 508 requirement.

        Raises:
            ValueError: it names a URL; a lock contains only releases of an index.
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
        """Whether the marker may hold with this extra (`""` for none); the marker is not evaluated."""
        return True

    def allows(self, version: Version) -> bool:
        """Whether the version satisfies the specifiers; pre-releases are not excluded here."""
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
    """The core metadata of one file.

    Attributes:
        requires_python: specifier; ``None`` if there is none.
        requires: requirements as declared, with markers and extras.
        extras: normalized names of the extras that the release offers.
        dynamic: whether it is the metadata of a source distribution that computes its requirements while building, so
            that `requires` may be incomplete.
        source: file that was read.
    """

    name: Name
    version: Version
    requires_python: SpecifierSet | None = None
    requires: tuple[Requirement, ...] = ()
    extras: frozenset[str] = frozenset()
    dynamic: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A dependency that does not come from the index of the lock.

    Attributes:
        name: name of the project; ``None`` if only its code would tell.
        place: where it comes from, as written: a path, a URL without credentials, or the name of an index.
        where: file and line or key.
    """

    name: Name | None
    place: str
    where: str

    def __str__(self) -> str:
        what = f"`{self.name}`" if self.name is not None else "a project"
        return f"{self.where}: {what} comes from `{self.place}`, not from an index of the lock, and is left out"
