"""The goal of a lock."""

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
"""Oldest Python that a lock chooses by itself; the smoke probe, which tests a lock, needs 3.6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Everything that determines a lock, besides the published files and the facts.

    A `Request` is what a user writes; a goal combines the request, its project and its files.

    Attributes:
        tensorflow: wanted releases; empty for any, newest stable release first.
        target: machine that the lock is for.
        requirements: further requirements; `source` names the file and line or the option.
        constraints: bounds on packages that are not requested.
        indexes: URLs in order, without credentials; a name found on one index is never taken from a later one.
        exclude_newer: moment; files uploaded at or after it are ignored.
        keras: major version of `tf.keras`, 2 or 3; ``None`` leaves it to the release.
        newest: whether to lock the newest CUDA libraries in a range instead of those that were seen to work.
        without_gpu: whether no GPU is wanted even if a requirement asks for one (`--gpu none`).
        force_broken: whether to lock environments that `check` calls broken.
        prereleases: whether TensorFlow may be a pre-release; other projects may if the request names one (PEP 440).
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
    without_gpu: bool = False
    force_broken: bool = False
