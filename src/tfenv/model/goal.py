"""What a lock has to meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.target import Target

if TYPE_CHECKING:
    from datetime import datetime

    from tfenv.model.package import Requirement

PYPI = "https://pypi.org/simple/"

OLDEST_PYTHON = Version("3.6")
"""Oldest Python that a lock chooses by itself: the smoke probe, which proves a lock, runs from 3.6 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Everything that decides what a lock holds, besides the published files and the facts.

    A `Request` is what a person writes; a goal is what the request, its project and its files come to.

    Attributes:
        tensorflow: which releases are wanted; empty is any, newest stable first.
        target: the machine.
        requirements: what is wanted beside TensorFlow; `source` says who asks (a file and line, or an option).
        constraints: bounds on packages that are not asked for.
        indexes: in order, without credentials; a name found on one is never taken from a later one.
        exclude_newer: files uploaded at or after this moment do not exist.
        keras: which major `tf.keras` shall be, 2 or 3; ``None`` leaves it to the release.
        newest: of CUDA libraries that a range leaves open, take the newest, and not one that was seen to work.
        force_broken: lock what `check` calls broken, too.
        prereleases: may TensorFlow be a pre-release? (Any project may where the request names one, as in PEP 440.)
    """

    tensorflow: SpecifierSet = field(default_factory=SpecifierSet)
    target: Target = field(default_factory=Target)
    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    indexes: tuple[str, ...] = (PYPI,)
    exclude_newer: datetime | None = None
    keras: int | None = None
    newest: bool = False
    prereleases: bool = False
    force_broken: bool = False
