"""What one pass over the requirements of a question finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from tfenv.model.package import Name, Requirement
    from tfenv.model.report import Caution


class ClashKind(StrEnum):
    """What a requirement is not met by."""

    VERSION = "version"
    """another version is fixed"""
    MISSING = "missing"
    """it is not installed"""
    FILE = "file"
    """the release has no file for this Python or platform"""
    ABSENT = "absent"
    """the release does not exist"""
    MACHINE = "machine"
    """the machine has something else"""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A requirement that is not met.

    Attributes:
        kind: what does not meet it.
        requirement: with its reason, its source, and perhaps its code.
        parent: project and version that requires it; for a release without a file, that release.
        given: what is there instead, in words; empty if nothing is.
        source: file that says so, if the requirement does not name one.
        near: whether TensorFlow depends on either side, or either side on TensorFlow.
    """

    kind: ClashKind
    requirement: Requirement
    parent: tuple[Name, Version]
    given: str = ""
    source: str = ""
    near: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What one pass found.

    Attributes:
        python: Python that it was made for.
        clashes: requirements that are not met, in the order in which they were found.
        needs: requirements on what is not known of the machine, each with who has it.
        unknown: what is not known of a package, one line each.
        cautions: what works, but not as one would wish.
        requires: for each fixed package, the projects that it requires here.
        asked: every requirement on a project, with the project that has it.
        bundled: whether the release of TensorFlow offers its CUDA libraries as wheels.
    """

    python: Version
    clashes: tuple[Clash, ...] = ()
    needs: tuple[Requirement, ...] = ()
    unknown: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    requires: Mapping[Name, frozenset[Name]] = field(default_factory=dict)
    asked: tuple[tuple[Name, Requirement], ...] = ()
    bundled: bool = False
