"""What comes out of a resolution: pins and needs, or the objects of a conflict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from tfenv.model.package import File, Metadata, Name, Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One release that was chosen, and the one file of it for the target.

    Attributes:
        name: of the distribution that is installed (`tensorflow-cpu` where that stands in for `tensorflow`).
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
class Resolution:
    """Everything that was chosen for one target.

    Attributes:
        python: the full version that markers were evaluated for (`3.13.9`).
        pins: by name of the distribution, sorted.
        needs: what the pins ask of the machine, sorted.
        notes: one line each: what was held back, and why.
        warnings: one line each: what could not be known.
    """

    python: Version
    pins: Mapping[Name, Pin]
    needs: tuple[Need, ...] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The TensorFlow that was tried first, and that a conflict is told about."""

    name: Name
    version: Version
    python: Version


class Conflict(Exception):
    """No set of packages and hardware satisfies the request; `explain` makes the sentence.

    Attributes:
        links: the requirements that could not be satisfied together.
        gaps: subject to why nothing of it fits, in one clause.
        attempt: the links are those of this TensorFlow; ``None`` if not even one could be tried.
        others: how many other releases of TensorFlow were tried in vain.
    """

    def __init__(
        self, links: tuple[Link, ...], *, gaps: Mapping[Name, str], attempt: Attempt | None = None, others: int = 0
    ) -> None:
        super().__init__("; ".join(str(link.requirement) for link in links))
        self.links = links
        self.gaps = dict(gaps)
        self.attempt = attempt
        self.others = others
