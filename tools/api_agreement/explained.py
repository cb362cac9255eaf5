"""Differences between the table of symbols and the real thing that have a reason: `explained.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

PATH = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why some names differ.

    Attributes:
        package: `tensorflow` or `keras`.
        releases: of it.
        names: patterns, below the package.
        why: the reason.
    """

    package: str
    releases: SpecifierSet
    names: tuple[str, ...]
    why: str

    def covers(self, package: str, release: Version, name: str) -> bool:
        """Is it about this name of this release?"""
        there = package == self.package and self.releases.contains(release, prereleases=True)
        return there and any(fnmatchcase(name, pattern) for pattern in self.names)


def load() -> tuple[Explanation, ...]:
    """All of them."""
    rows = tomllib.loads(PATH.read_text(encoding="utf-8"))["explanation"]
    return tuple(
        Explanation(
            package=row["package"],
            releases=SpecifierSet(row["releases"]),
            names=tuple(row["names"]),
            why=row["why"],
        )
        for row in rows
    )


def unexplained(package: str, release: Version, names: Iterable[str]) -> frozenset[str]:
    """Those that no row is about."""
    rows = load()
    return frozenset(name for name in names if not any(row.covers(package, release, name) for row in rows))
