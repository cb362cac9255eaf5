"""What published metadata should have said (`patches.toml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement

from tfenv.facts.rows import Document
from tfenv.facts.rules import NEVER
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
        packages: normalized names it is for.
        versions: of them.
        platforms: it is for; empty is all.
        add: requirements that are missing, markers included; virtual ones (`__cpu`, `__cuda`) among them.
        drop: names whose requirements are wrong and do not count.
        because: what goes wrong without it, in one clause.
        source: who says so.
        tier: how well it is proven.
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
        """Is it for this release there?"""
        here = not self.platforms or platform in self.platforms or platform.wheels in self.platforms
        return here and self.versions.contains(version, prereleases=True)


class PatchTable:
    """All corrections.

    Attributes:
        all: in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/patches.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        document = Document(path)
        self.all: tuple[Patch, ...] = tuple(_patch(row) for row in document.rows("patch"))
        document.check()

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
    row.known(("packages", "versions", "platforms", "add", "drop", "cpu", "cuda", "because", "source", "tier"))
    because, source = row.text("because"), row.source()
    tier = row.tier()
    found = (_requirement(row, text, because, source) for text in row.texts("add"))
    add = [replace(requirement, tier=tier, brought="fact") for requirement in found if requirement is not None]
    if cpu := row.texts("cpu"):
        name, code = Name("__cpu"), "cpu-instruction-missing"
        add.append(Requirement(name=name, extras=frozenset(cpu), because=because, source=source, code=code, tier=tier))
    if (cuda := row.maybe_text("cuda")) == "none":
        name, code = Name("__cuda"), "platform-no-gpu"
        add.append(Requirement(name=name, specifier=NEVER, because=because, source=source, code=code, tier=tier))
    elif cuda is not None:
        row.fault("cuda", f"`none` is all that can be said here, not `{cuda}`")
    drop = tuple(map(normalize, row.texts("drop")))
    if not add and not drop:
        row.fault("add", "a patch that neither adds nor drops anything")
    if not (packages := tuple(map(normalize, row.texts("packages")))):
        row.fault("packages", "empty")
    return Patch(
        packages=packages,
        versions=row.specifiers("versions"),
        platforms=tuple(platform for text in row.texts("platforms") if (platform := _platform(row, text))),
        add=tuple(add),
        drop=drop,
        because=because,
        source=source,
        tier=tier,
    )


def _requirement(row: Row, text: str, because: str, source: str) -> Requirement | None:
    try:
        return Requirement.of(PackagingRequirement(text), because=because, source=source)
    except (InvalidRequirement, ValueError) as wrong:
        row.fault("add", str(wrong))
        return None


def _platform(row: Row, text: str) -> Platform | None:
    try:
        return Platform(text)
    except ValueError:
        row.fault("platforms", f"`{text}` is none of {', '.join(platform.value for platform in Platform)}")
        return None
