"""Alternatives for machines on which no release of an index uses the GPU (`alternatives.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.rows import load
from tfenv.model.document import one_of
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from tfenv.facts.rows import Row
    from tfenv.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another way to use a GPU.

    Attributes:
        versions: releases of TensorFlow that do not use the GPU.
        accelerator: accelerator that was requested.
        platforms: platforms that it is for.
        capabilities: compute capabilities of the GPUs that it is for; ``None`` for any GPU, known or not.
        says: one clause that describes it and how to get it.
        source: page or file that documents it.
    """

    versions: SpecifierSet
    accelerator: Accelerator
    platforms: tuple[Platform, ...]
    capabilities: SpecifierSet | None
    says: str
    source: str

    def serves(self, version: Version, target: Target) -> bool:
        """Whether it is for this machine, on which the release finds no GPU."""
        if target.accelerator is not self.accelerator or target.platform not in self.platforms:
            return False
        if not self.versions.contains(version, prereleases=True):
            return False
        found = self.capabilities
        return found is None or any(found.contains(Version(str(gpu.capability))) for gpu in target.gpus)


class AlternativeTable:
    """All alternatives.

    Attributes:
        all: rows in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/alternatives.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        self.all = load(path, "alternative", _alternative)

    def of(self, version: Version, target: Target) -> tuple[Alternative, ...]:
        """Alternatives for a machine on which a release finds no GPU; empty if no accelerator is requested."""
        return tuple(one for one in self.all if one.serves(version, target))


def _alternative(row: Row) -> Alternative:
    row.tier()
    return Alternative(
        versions=row.specifiers("versions"),
        accelerator=row.get("accelerator", one_of(Accelerator)) or Accelerator.CUDA,
        platforms=row.many("platforms", one_of(Platform)),
        capabilities=row.maybe_specifiers("capabilities"),
        says=row.text("says"),
        source=row.source(),
    )
