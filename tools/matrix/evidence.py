"""`constraints/evidence/matrix.toml`: what was tried, when, and how it ended."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tools.matrix.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEAD = """\
# What was tried: each release on each Python, locked by tfenv and by a plain resolver (uv, newest of everything),
# installed, and run on the CPU. Written by `python -m tools.matrix`; nobody types these rows.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How one resolver's answer ended: `passed`, or where it failed and the reason in one line.

    Attributes:
        date: of the trial, ISO 8601.
        outcome: `passed`, or the level and what went wrong there.
        packages: how many were installed.
    """

    date: str
    outcome: str
    packages: int = 0

    @property
    def passed(self) -> bool:
        """Did everything work?"""
        return self.outcome == "passed"


SAID = re.compile(r"tfenv: \d+ of \d+ · plain: \d+ of \d+")
"""A summary, as the README has it."""

Evidence = dict[Cell, dict[str, Tried]]
"""for each cell, by resolver (`tfenv`, `plain`)"""


def load(path: Path) -> Evidence:
    """What was written down; nothing if there is no file."""
    if not path.exists():
        return {}
    found: Evidence = {}
    for row in tomllib.loads(path.read_text(encoding="utf-8")).get("tried", ()):
        cell = Cell(Version(row["release"]), Version(row["python"]))
        found[cell] = {by: Tried(**row[by]) for by in ("tfenv", "plain") if by in row}
    return found


def dumps(evidence: Mapping[Cell, Mapping[str, Tried]]) -> str:
    """The whole file, in order of release and Python."""
    lines = [HEAD]
    for cell in sorted(evidence):
        lines.append(f'[[tried]]\nrelease = "{cell.release}"\npython = "{cell.python}"')
        for by, tried in sorted(evidence[cell].items(), reverse=True):
            outcome = tried.outcome.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{by} = {{ date = "{tried.date}", outcome = "{outcome}", packages = {tried.packages} }}')
        lines.append("")
    return "\n".join(lines)


def record(path: Path, cell: Cell, by: str, tried: Tried) -> None:
    """Write one outcome down beside what is there; several runs may write to one file."""
    import fcntl

    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        everything = load(path)
        everything.setdefault(cell, {})[by] = tried
        whole = path.with_suffix(".new")
        whole.write_text(dumps(everything), encoding="utf-8")
        whole.replace(path)
    finally:
        os.close(folder)


def tell(readme: Path, evidence: Mapping[Cell, Mapping[str, Tried]]) -> None:
    """Bring the numbers of the README up to date."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(SAID.sub(summary(evidence), text), encoding="utf-8")


def summary(evidence: Mapping[Cell, Mapping[str, Tried]]) -> str:
    """How many passed, for each resolver."""
    parts = []
    for by in ("tfenv", "plain"):
        tried = [found[by] for found in evidence.values() if by in found]
        parts.append(f"{by}: {sum(each.passed for each in tried)} of {len(tried)}")
    return " · ".join(parts)
