"""Projects installed with each minor release of TensorFlow, found by locking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet

from tfenv.errors import NoSolution
from tfenv.facts.closures import Closures, dumps
from tfenv.facts.database import Database
from tfenv.harvest.update import UpdatedTable
from tfenv.model.goal import Goal
from tfenv.model.package import TENSORFLOWS
from tfenv.model.target import Accelerator, Target

if TYPE_CHECKING:
    from tfenv.facts.closures import Closure
    from tfenv.harvest.update import Update
    from tfenv.model.package import Name

_FILE: Final = "facts/closures.txt"
_TASK: Final = "minor releases"
_ACCELERATORS: Final = (Accelerator.NONE, Accelerator.CUDA)


def refresh(update: Update) -> None:
    """Lock every minor release as it would be locked today, for the CPU and for CUDA.

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    database, report = Database(update.root / "facts"), update.report
    before = Closures(update.root / _FILE).rows
    rows: dict[str, Closure] = {}
    stems = tuple(reversed(database.releases.minors))
    report.checked = len(stems)
    update.progress.start(_TASK, len(stems))
    for stem in stems:
        names, more = (_names(update, database, stem, accelerator) for accelerator in _ACCELERATORS)
        row = tuple(sorted(names)), tuple(sorted(more - names))
        if names | more:
            rows[stem] = row
        report.read += 1
        if row != before.get(stem, ((), ())):
            report.notes.append(f"{stem}: {len(names)} projects, {len(more - names)} more for CUDA")
        update.progress.advance(_TASK)
    update.progress.finish(_TASK)
    if rows != before:
        update.put(_FILE, dumps(rows))


def _names(update: Update, database: Database, stem: str, accelerator: Accelerator) -> frozenset[Name]:
    """The projects in the lock of the newest patch release, without TensorFlow; none if it cannot be locked."""
    assert update.solve is not None
    goal = Goal(tensorflow=SpecifierSet(f"=={stem}.*"), target=Target(accelerator=accelerator), indexes=(update.index,))
    try:
        locked = update.solve(goal, database=database, cache=update.cache)
    except NoSolution:
        return frozenset()
    return frozenset(package.name for package in locked.packages if package.name not in TENSORFLOWS)


TABLE = UpdatedTable(name="closures", about="projects installed with each minor release", refresh=refresh)
