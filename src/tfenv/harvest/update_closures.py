"""`facts update --closures`: which projects come along with each minor release of TensorFlow, found by locking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from packaging.specifiers import SpecifierSet

from tfenv.errors import NoSolution
from tfenv.facts.closures import Closures, dumps
from tfenv.model.goal import Goal
from tfenv.model.package import TENSORFLOWS
from tfenv.model.progress import Progress, Silent
from tfenv.model.target import Accelerator, Target
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfenv.facts.closures import Closure
    from tfenv.facts.database import Database
    from tfenv.model.lock import Lock
    from tfenv.model.package import Name
    from tfenv.store.cache import Cache

_TASK = "minor releases"


class LockFunction(Protocol):
    """Resolves a request; `tfenv.workflow.lock.solve.solve` does."""

    def __call__(self, goal: Goal, /, *, database: Database, cache: Cache | None) -> Lock:
        """The lock of a request."""


def update(
    path: Path,
    told: Callable[[str], None],
    *,
    lock: LockFunction,
    database: Database,
    index: str,
    cache: Cache | None = None,
    write: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Lock every minor release as it would be locked today, for the CPU and for CUDA.

    Args:
        path: `constraints/facts/closures.txt`.
        told: hears of each release whose projects are not those of the file.
        lock: `tfenv.workflow.lock.lock`.
        database: the facts.
        index: URL of a simple index.
        cache: of its pages; the user's if not given.
        write: write the file.
        progress: hears of the releases.

    Returns:
        Does anything differ from the file?

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    progress = progress or Silent()
    before = Closures(path).rows
    rows: dict[str, Closure] = {}
    stems = tuple(reversed(database.releases.minors))
    progress.start(_TASK, len(stems))
    for stem in stems:
        names, more = (_names(lock, stem, accelerator, database, index, cache) for accelerator in _ACCELERATORS)
        row = tuple(sorted(names)), tuple(sorted(more - names))
        if names | more:
            rows[stem] = row
        if row != before.get(stem, ((), ())):
            told(f"{stem}: {len(names)} projects, {len(more - names)} more for CUDA")
        progress.advance(_TASK)
    progress.finish(_TASK)
    if write and rows != before:
        files.write({path: dumps(rows)}, force=True)
    return rows != before


_ACCELERATORS = (Accelerator.NONE, Accelerator.CUDA)


def _names(
    lock: LockFunction, stem: str, accelerator: Accelerator, database: Database, index: str, cache: Cache | None
) -> frozenset[Name]:
    """The projects of the lock of the newest patch release, less TensorFlow; none where it cannot be locked."""
    request = Goal(tensorflow=SpecifierSet(f"=={stem}.*"), target=Target(accelerator=accelerator), indexes=(index,))
    try:
        locked = lock(request, database=database, cache=cache)
    except NoSolution:
        return frozenset()
    return frozenset(package.name for package in locked.packages if package.name not in TENSORFLOWS)
