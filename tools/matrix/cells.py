"""Which releases are tried on which Pythons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfenv.facts.database import Database

CPU = Name("tensorflow-cpu")
OLDEST_PYTHON = Version("3.6")
EARLY = (Version("1.4"), Version("1.8"), Version("1.12"))
"""minors before 1.13 that stand for their neighbours, on Python 3.6"""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One release on one Python (`X.Y`)."""

    release: Version
    python: Version

    def __str__(self) -> str:
        return f"{self.release} on {self.python}"


def cells(database: Database) -> tuple[Cell, ...]:
    """The newest patch of every minor since 1.13 on every Python, its first release on its newest, and `EARLY`."""
    found: set[Cell] = set()
    stable = [version for version in database.releases.versions(TENSORFLOW) if not version.is_prerelease]
    for minor, patches in groupby(sorted(stable), key=lambda version: Version(f"{version.major}.{version.minor}")):
        known = [version for version in patches if pythons(database, version)]
        if not known:
            continue
        if minor in EARLY:
            found.add(Cell(known[-1], OLDEST_PYTHON))
        elif minor >= Version("1.13"):
            found |= {Cell(known[-1], python) for python in pythons(database, known[-1])}
            found.add(Cell(known[0], pythons(database, known[0])[-1]))
    return tuple(sorted(found))


def distribution(database: Database, cell: Cell) -> Name:
    """The one to install: that for the CPU where it exists, to spare downloads."""
    return CPU if cell.python in pythons(database, cell.release, CPU) else TENSORFLOW


def pythons(database: Database, release: Version, name: Name = TENSORFLOW) -> tuple[Version, ...]:
    """The CPythons since 3.6 that a release has a Linux x86-64 wheel for, oldest first."""
    facts = database.releases.release(name, release)
    tags = {wheel.python for wheel in facts.wheels if wheel.platform is Platform.LINUX_X86_64} if facts else set()
    found = {Version(f"{match[1]}.{match[2]}") for tag in tags if (match := re.fullmatch(r"cp(\d)(\d+)", tag))}
    return tuple(sorted(python for python in found if python >= OLDEST_PYTHON))


def pick(every: Iterable[Cell], wanted: Iterable[str]) -> Iterator[Cell]:
    """Those that were named as `2.17`, `2.17.1` or `2.17.1@3.11`; all if none was."""
    names = tuple(wanted)
    for cell in every:
        release, minor = str(cell.release), f"{cell.release.major}.{cell.release.minor}"
        spellings = {release, minor, f"{release}@{cell.python}", f"{minor}@{cell.python}"}
        if not names or spellings & set(names):
            yield cell
