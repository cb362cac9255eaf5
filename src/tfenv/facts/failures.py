"""Builds that were seen to fail on GPUs that they have PTX for (`failures.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.rows import cited, covering, load

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from tfenv.facts.rows import Row
    from tfenv.model.hardware import ComputeCapability


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What was seen.

    Attributes:
        versions: of TensorFlow.
        capabilities: of the GPUs, as a range of numbers.
        reason: one clause.
        advice: what people use instead.
        sources: who saw it.
    """

    versions: SpecifierSet
    capabilities: SpecifierSet
    reason: str
    advice: str
    sources: tuple[str, ...]


class FailureTable:
    """All of them.

    Attributes:
        all: in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/failures.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        self.all = load(path, "failure", _failure)

    def of(self, version: Version, capability: ComputeCapability) -> Failure | None:
        """What was seen of a release on a GPU that has to compile its PTX; ``None`` if nothing was."""
        number = Version(str(capability))
        return next((row for row in covering(self.all, version) if row.capabilities.contains(number)), None)


def _failure(row: Row) -> Failure:
    row.tier()
    return Failure(
        versions=row.specifiers("versions"),
        capabilities=row.specifiers("capabilities"),
        reason=row.text("reason"),
        advice=row.text("advice"),
        sources=cited(row.source()),
    )
