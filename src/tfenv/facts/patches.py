"""Corrections of published metadata (`patches.toml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tfenv.facts.rows import load
from tfenv.facts.rules import NEVER
from tfenv.model.document import one_of
from tfenv.model.package import Name, Requirement, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One correction of the metadata of some releases.

    Attributes:
        packages: normalized names of the packages.
        versions: releases of the packages.
        platforms: platforms that it applies to; empty for all.
        add: requirements that are missing, markers included; virtual ones (`__cpu`, `__cuda`) among them.
        drop: names whose requirements are wrong and ignored.
        because: one clause about what fails without it.
        source: page or file that documents it.
        tier: strength of the evidence.
    """

    packages: tuple[Name, ...]
    versions: SpecifierSet
    platforms: tuple[Platform, ...]
    add: tuple[Requirement, ...]
    drop: tuple[Name, ...]
    because: str
    source: str
    tier: str

    def applies(self, version: Version, platform: Platform) -> bool:
        """Whether it applies to this release on this platform."""
        here = not self.platforms or platform in self.platforms or platform.wheels in self.platforms
        return here and self.versions.contains(version, prereleases=True)


class PatchTable:
    """All corrections.

    Attributes:
        all: rows in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/patches.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        self.all = load(path, "patch", _patch)

    @cached_property
    def _by_name(self) -> dict[Name, list[Patch]]:
        found: dict[Name, list[Patch]] = {}
        for patch in self.all:
            for name in patch.packages:
                found.setdefault(name, []).append(patch)
        return found

    def of(self, name: Name, version: Version, platform: Platform) -> tuple[Patch, ...]:
        """The corrections of one release on one platform."""
        return tuple(patch for patch in self._by_name.get(name, ()) if patch.applies(version, platform))


def _patch(row: Row) -> Patch:
    because, source = row.text("because"), row.source()
    tier = row.tier()
    found = row.requirements("add", because=because, source=source)
    add = [replace(requirement, tier=tier) for requirement in found]
    if cpu := row.texts("cpu"):
        name, code = Name("__cpu"), "cpu-instruction-missing"
        add.append(Requirement(name=name, extras=frozenset(cpu), because=because, source=source, code=code, tier=tier))
    if (cuda := row.maybe_text("cuda")) == "none":
        name, code = Name("__cuda"), "platform-no-gpu"
        add.append(Requirement(name=name, specifier=NEVER, because=because, source=source, code=code, tier=tier))
    elif cuda is not None:
        row.fault("cuda", f"must be `none`, not `{cuda}`")
    drop = tuple(map(normalize, row.texts("drop")))
    if not {"add", "drop", "cpu", "cuda"} & row.values.keys():
        row.fault("add", "a patch that neither adds nor drops anything")
    return Patch(
        packages=tuple(map(normalize, row.some("packages"))),
        versions=row.specifiers("versions"),
        platforms=row.many("platforms", one_of(Platform)),
        add=tuple(add),
        drop=drop,
        because=because,
        source=source,
        tier=tier,
    )
