"""What releases of companions need beside their metadata (`needs.toml`).

The rows are read off the code that importing a release runs, by `tfenv facts update needs`; none is typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tfenv.facts.rows import covering, finish, read
from tfenv.model.package import Name, Requirement, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row

HEADING: Final = (
    "# Written by `tfenv facts update needs`, never by hand. What each column means: README.md in this folder.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRow:
    """One thing that some releases of a project need and that their metadata does not say.

    Attributes:
        package: normalized name of the project.
        versions: its releases.
        requires: requirement, without a reason.
        beside: releases of TensorFlow beside which it holds; ``None`` for all.
        legacy: requirement that holds instead where TF_USE_LEGACY_KERAS makes `tf.keras` Keras 2; empty if the same.
        because: what importing the release does, in one clause.
        source: file with its hash, and the module in it.
    """

    package: Name
    versions: SpecifierSet
    requires: str
    beside: SpecifierSet | None = None
    legacy: str = ""
    because: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    versions: SpecifierSet
    beside: SpecifierSet | None
    requirement: Requirement
    legacy: Requirement | None


class NeedTable:
    """All rows.

    Attributes:
        rows: in the order of the file.
        read: the releases of each project that were read.
        unrelated: projects whose newest release does not import TensorFlow or Keras.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/needs.toml`; without the file there are no rows.

        Raises:
            UsageError: with every row that is wrong.
        """
        self.rows: tuple[NeedRow, ...] = ()
        self.read: dict[Name, tuple[str, ...]] = {}
        self.unrelated: frozenset[Name] = frozenset()
        self._by_name: dict[Name, list[_Parsed]] = {}
        if not path.is_file():
            return
        root = read(path)
        pairs = root.rows("need", _need)
        self.read = dict(root.rows("project", _project))
        self.unrelated = frozenset(map(normalize, root.texts("unrelated")))
        finish(root, path)
        self.rows = tuple(row for row, _ in pairs)
        for row, parsed in pairs:
            self._by_name.setdefault(row.package, []).append(parsed)

    def requires(
        self, name: Name, version: Version, *, keras: int | None, is_beside: Callable[[SpecifierSet], bool]
    ) -> tuple[Requirement, ...]:
        """What a release needs beside its metadata.

        Args:
            name: normalized name of the project.
            version: its release.
            keras: major of `tf.keras` that is asked for; ``None`` if it is left to the release of TensorFlow.
            is_beside: whether a release of TensorFlow in this range may be the one beside it.
        """
        found = []
        for row in covering(self._by_name.get(name, ()), version):
            if row.beside is not None and (keras == 3 or not is_beside(row.beside)):
                continue
            requirement = row.legacy if row.legacy is not None and keras == 2 else row.requirement
            because = f"{name} {version} requires {requirement}: {requirement.because}"
            found.append(replace(requirement, because=because))
        return tuple(found)


def dumps(rows: Iterable[NeedRow], reads: Mapping[Name, tuple[str, ...]], unrelated: Iterable[Name]) -> str:
    """The text of the file, in its one order."""
    lines = [HEADING, f"unrelated = {json.dumps(sorted(unrelated))}\n"]
    for row in rows:
        columns = {"package": row.package, "versions": str(row.versions), "requires": [row.requires]}
        if row.beside is not None:
            columns["beside"] = str(row.beside)
        if row.legacy:
            columns["legacy"] = [row.legacy]
        columns |= {"because": row.because, "source": row.source, "tier": "declared"}
        lines.append("\n[[need]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in columns.items()))
    for name, releases in sorted(reads.items()):
        lines.append(f'\n[[project]]\npackage = "{name}"\nread = {json.dumps(list(releases))}\n')
    return "".join(lines)


def _need(row: Row) -> tuple[NeedRow, _Parsed]:
    row.tier()
    because, source = row.text("because"), row.source()
    requires = row.requirements("requires", because=because, source=source)
    legacy = row.requirements("legacy", because=because, source=source)
    if len(requires) != 1:
        row.fault("requires", "must be one requirement")
        requires = (Requirement(name=Name("")),)
    code = "keras-mismatch" if legacy else ""
    parsed = _Parsed(
        versions=row.specifiers("versions"),
        beside=row.maybe_specifiers("beside"),
        requirement=replace(requires[0], code=code),
        legacy=legacy[0] if legacy else None,
    )
    plain = NeedRow(
        package=normalize(row.text("package")),
        versions=parsed.versions,
        requires=(row.texts("requires") or ("",))[0],
        beside=parsed.beside,
        legacy=(row.texts("legacy") or ("",))[0],
        because=because,
        source=source,
    )
    return plain, parsed


def _project(row: Row) -> tuple[Name, tuple[str, ...]]:
    return normalize(row.text("package")), row.some("read")
