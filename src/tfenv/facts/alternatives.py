"""What serves a machine that no release on an index serves (`alternatives.toml`)."""

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
    """Another way to a GPU.

    Attributes:
        versions: of TensorFlow, wished for in vain.
        accelerator: that was wished for.
        platforms: it is for.
        capabilities: of the GPUs it is for; ``None`` for all, told or not.
        says: what it is and how to have it, in one clause.
        source: who says so.
    """

    versions: SpecifierSet
    accelerator: Accelerator
    platforms: tuple[Platform, ...]
    capabilities: SpecifierSet | None
    says: str
    source: str

    def serves(self, version: Version, target: Target) -> bool:
        """Is it for this machine, on which that release finds no GPU?"""
        if target.accelerator is not self.accelerator or target.platform not in self.platforms:
            return False
        if not self.versions.contains(version, prereleases=True):
            return False
        found = self.capabilities
        return found is None or any(found.contains(Version(str(gpu.capability))) for gpu in target.gpus)


class AlternativeTable:
    """All alternatives.

    Attributes:
        all: in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/alternatives.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        self.all = load(path, "alternative", _alternative)

    def of(self, version: Version, target: Target) -> tuple[Alternative, ...]:
        """Those for a machine on which a release of TensorFlow finds no GPU; empty where CUDA is not asked for."""
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
