"""What comes out of a resolution: pins and needs, or the objects of a conflict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.package import File, Metadata, Name, Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One release that was chosen, and the one file of it for the target.

    Attributes:
        name: of the distribution that is installed (`tensorflow-cpu` where that is installed for `tensorflow`).
        metadata: of the file, the facts laid over it included.
        extras: that were asked of it by anyone.
        dependencies: names of the pins it requires on the target, sorted.
        direct: does the request name it?
        needs: what it asks of the machine and of Python.
    """

    name: Name
    version: Version
    file: File
    metadata: Metadata
    extras: frozenset[str] = frozenset()
    dependencies: tuple[Name, ...] = ()
    direct: bool = False
    needs: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A requirement on a virtual package (`__driver`, `__glibc`, …) and who has it.

    Attributes:
        requirement: with its reason and its source.
        parent: the pin that asks; ``None`` if the request itself does.
    """

    requirement: Requirement
    parent: Name | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a pin is not newer.

    Attributes:
        before: the first newer release, the one that was not to be had.
        because: of what, in one clause; empty if nothing forbids it by itself.
    """

    before: Version
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Everything that was chosen for one target.

    Attributes:
        python: the full version that markers were evaluated for (`3.13.9`).
        pins: by name of the distribution, sorted.
        needs: what the pins ask of the machine, sorted.
        held: pins of which there are newer releases.
        notes: one line each: what was held back, and why.
        warnings: one line each: what could not be known.
    """

    python: Version
    pins: Mapping[Name, Pin]
    needs: tuple[Need, ...] = ()
    held: Mapping[Name, Held] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One requirement that takes part in a conflict.

    Attributes:
        requirement: with its reason and its source.
        python: the Python minor it was asked for; ``None`` for any.
        parent: name and version of the release that asks; ``None`` if the request does.
        file: that was read for it; ``None`` if the request asks.
    """

    requirement: Requirement
    python: Version | None = None
    parent: tuple[Name, Version] | None = None
    file: File | None = None


class Kind(StrEnum):
    """What can take part in a conflict: what a request fixes, and three sorts of facts."""

    TENSORFLOW = "tensorflow"
    PYTHON = "python"
    PLATFORM = "platform"
    ACCELERATOR = "accelerator"
    CUDA = "cuda"
    GPU = "gpu"
    DRIVER = "driver"
    GLIBC = "glibc"
    CPU = "cpu"
    KERAS = "keras"
    NEWER = "exclude-newer"
    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    REQUIRES = "requires"
    """what the releases of a project ask of another, or of the machine"""
    FILES = "files"
    """for which Pythons and platforms a project has files"""
    RELEASES = "releases"
    """which releases of a project there are"""

    @property
    def is_fact(self) -> bool:
        """Is it so whatever is asked for?"""
        return self in (Kind.REQUIRES, Kind.FILES, Kind.RELEASES)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One element of a conflict; without any one of them there is none.

    Attributes:
        name: the project that a fact is about, or that a requirement of the request names.
        subject: what it requires; empty for other kinds.
        number: which of the request's GPUs, requirements or constraints, counted from 0.
    """

    kind: Kind
    name: str = ""
    subject: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.subject}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The TensorFlow that was tried first, which the explanation is about."""

    name: Name
    version: Version
    python: Version


class Conflict(Exception):
    """No set of packages and hardware satisfies the request; `explain` makes the sentence.

    Attributes:
        links: the requirements that could not be satisfied together.
        gaps: subject to why nothing of it fits, in one clause.
        attempt: the links are those of this TensorFlow; ``None`` if not even one could be tried.
        involved: who asked for what, as far as it bears on the conflict: more than `links`, each once.
        parts: the smallest set that conflicts; empty until `smallest` has looked for it.
        offered: releases of TensorFlow, newest first.
        persists: does a changed request contradict the same facts?
        is_proven: whether it is certain that there is no solution; if not, the search was given up.
    """

    def __init__(
        self,
        links: tuple[Link, ...],
        *,
        gaps: Mapping[Name, str],
        attempt: Attempt | None = None,
        involved: tuple[Link, ...] = (),
        parts: tuple[Part, ...] = (),
        offered: tuple[Version, ...] = (),
        persists: Callable[[Goal], bool] = lambda _changed: False,
        is_proven: bool = True,
    ) -> None:
        super().__init__("; ".join(str(link.requirement) for link in links))
        self.links = links
        self.gaps = dict(gaps)
        self.attempt = attempt
        self.involved = involved
        self.parts = parts
        self.offered = offered
        self.persists = persists
        self.is_proven = is_proven
