"""`tfenv facts`: the facts in use, and their update from published files."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from tfenv.errors import UsageError
from tfenv.facts.database import Database
from tfenv.facts.digest import LOCK, digest
from tfenv.facts.location import DATE, PARTS, in_use, pointer, pointer_file, shipped
from tfenv.harvest.tables import TABLES
from tfenv.harvest.update import TableReport, Update
from tfenv.model.goal import PYPI
from tfenv.model.package import TENSORFLOW
from tfenv.model.progress import Progress, Silent
from tfenv.store import files
from tfenv.store.cache import Cache
from tfenv.symbols.database import Symbols
from tfenv.workflow.lock.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_DATE_FILE: Final = f"facts/{DATE}"
_DAYS: Final = 7
"""Days after which the date is updated even if nothing else has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """The outcome of an update.

    Attributes:
        reports: reports of the tables, in order.
        folder: folder of the facts that were written; ``None`` if nothing was.
    """

    reports: tuple[TableReport, ...]
    folder: Path | None

    @property
    def changed(self) -> tuple[str, ...]:
        """The files that change, as paths below `constraints`."""
        return tuple(name for report in self.reports for name in report.changes)


def state() -> dict[str, Any]:
    """The facts in use, as values of JSON.

    Raises:
        UsageError: there are none, or those of the user are damaged.
    """
    found = in_use()
    database = Database(found.root / "facts")
    versions = database.releases.versions(TENSORFLOW)
    return {
        "folder": str(found.root),
        "source": "user" if found.is_users else "tfenv",
        "date": found.date.isoformat(),
        "facts": digest(database.root, LOCK),
        "symbols": Symbols(found.root / "symbols").version,
        "newest": str(versions[0]),
        "unused": None if found.unused is None else str(found.unused),
    }


def update(
    tables: Sequence[str] = (),
    *,
    only: Sequence[str] = (),
    index: str = PYPI,
    write: bool = False,
    user: bool = False,
    reread: bool = False,
    reported: Callable[[TableReport], None] = lambda _: None,
    progress: Progress | None = None,
    cache: Cache | None = None,
) -> Updated:
    """Update the facts with newly published releases.

    Args:
        tables: names of tables; all if empty.
        only: distributions or releases to read; requires a single table.
        index: URL of a simple index.
        write: write the files of the facts in use.
        user: write a whole set of facts into the user's data folder, and use it from then on. It is read once more
            before it counts; if anything fails, the facts in use stay.
        reread: read again what is known; a difference then means that a row is wrong.
        reported: receives the report of each table as soon as it is done.
        progress: receives the work under way.
        cache: of pages, and the place of the lock between two updates; by default the user's.

    Raises:
        UsageError: a table does not exist, `only` does not suit it, or the facts are damaged.
        IndexUnavailable: the index or a file cannot be read.
    """
    for name in tables:
        if name not in TABLES:
            raise UsageError(f"there is no table `{name}`", hint=f"tables: {', '.join(TABLES)}")
    if only and (len(tables) != 1 or not TABLES[tables[0]].of):
        takers = " or ".join(f"`{table.name}` ({table.of})" for table in TABLES.values() if table.of)
        raise UsageError("`--only` goes with one table", hint=f"name {takers}")
    cache = cache or Cache()

    def run(root: Path, *, writing: bool) -> tuple[TableReport, ...]:
        reports = []
        for name in tables or TABLES:
            work = Update(
                root=root,
                report=TableReport(table=name),
                only=tuple(only),
                index=index,
                write=writing,
                reread=reread,
                progress=progress or Silent(),
                solve=solve,
                cache=cache,
            )
            TABLES[name].refresh(work)
            reported(work.report)
            reports.append(work.report)
        changed = any(report.changes for report in reports)
        if not tables and (dated := _dated(root, changed=changed, write=writing)).changes:
            reports.append(dated)
        return tuple(reports)

    if not user:
        root = in_use().root
        reports = run(root, writing=write)
        return Updated(reports=reports, folder=root if write and any(report.changes for report in reports) else None)
    with cache.lock(pointer_file()):
        return _of_user(run)


def _of_user(run: Callable[..., tuple[TableReport, ...]]) -> Updated:
    """Update a copy of the facts in use, and make it what is used."""
    before, home = in_use(), pointer_file().parent
    new = home / f"facts-{datetime.now(UTC):%Y%m%d%H%M%S%f}-{os.getpid()}"
    try:
        with files.writing(new):
            for part in PARTS:
                shutil.copytree(before.root / part, new / part)
        reports = run(new, writing=True)
        if not any(report.changes for report in reports):
            shutil.rmtree(new)
            return Updated(reports=reports, folder=None)
        Database(new / "facts").check()
        Symbols(new / "symbols").check()
        files.write({pointer_file(): pointer(new, shipped())}, force=True)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    # the facts used until now stay once more, for commands that are running
    for folder in home.glob("facts-*"):
        if folder not in (new, before.root):
            shutil.rmtree(folder, ignore_errors=True)
    return Updated(reports=reports, folder=new)


def _dated(root: Path, *, changed: bool, write: bool) -> TableReport:
    """The day on which all tables were compared with what is published."""
    work = Update(root=root, report=TableReport(table="date", checked=1), write=write)
    today = datetime.now(UTC).date()
    if changed or (today - date.fromisoformat(work.text(_DATE_FILE).strip())).days >= _DAYS:
        work.put(_DATE_FILE, f"{today}\n")
    return work.report
