"""One update of the facts: location of the rows, options, report, changed files.

Each table of the facts is read from published files by one `Updater`; `tfenv.harvest.tables` lists them.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Final, Protocol

from tfenv.model.goal import PYPI
from tfenv.model.progress import Progress, Silent
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tfenv.facts.database import Database
    from tfenv.index.client import Client
    from tfenv.model.goal import Goal
    from tfenv.model.lock import Lock
    from tfenv.store.cache import Cache

_LONGEST_LINE: Final = 400
_MOST_LINES: Final = 400


class Solve(Protocol):
    """A function that finds the lock of a goal, such as `tfenv.workflow.lock.solve`."""

    def __call__(self, goal: Goal, *, database: Database, cache: Cache | None) -> Lock:
        """The lock that meets a goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file of the facts as it is and as it should be.

    Attributes:
        name: path of the file below `constraints`, with `/`.
        before: current bytes; empty if the file does not exist.
        after: wanted bytes; empty if the file should not exist.
    """

    name: str
    before: bytes
    after: bytes

    @property
    def lines(self) -> tuple[int, int] | None:
        """Counts of added and of removed lines; ``None`` for a file that is not text."""
        try:
            before, after = (set(content.decode().splitlines()) for content in (self.before, self.after))
        except UnicodeDecodeError:
            return None
        return len(after - before), len(before - after)

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty if it is too long to be read."""
        try:
            before, after = (content.decode().splitlines(keepends=True) for content in (self.before, self.after))
        except UnicodeDecodeError:
            return ""
        name = f"constraints/{self.name}"
        found = list(unified_diff(before, after, f"a/{name}", f"b/{name}"))
        short = len(found) <= _MOST_LINES and all(len(line) <= _LONGEST_LINE for line in found)
        return "".join(found) if short else ""

    @property
    def summary(self) -> str:
        """One line: the file, and the counts of added and removed lines."""
        counts = self.lines
        return f"{self.name}: " + ("differs" if counts is None else f"+{counts[0]} -{counts[1]} lines")


@dataclass(slots=True, kw_only=True)
class TableReport:
    """The outcome of the update of one table.

    Attributes:
        table: name of the table.
        checked: count of releases or projects that the table should have.
        kept: count of those whose rows were present and still correct.
        read: count of those that were read in this update.
        bytes: count of bytes transferred.
        largest: most bytes transferred for one file.
        notes: findings, one sentence each.
        changes: changed files by name.
    """

    table: str
    checked: int = 0
    kept: int = 0
    read: int = 0
    bytes: int = 0
    largest: int = 0
    notes: list[str] = field(default_factory=list)
    changes: dict[str, FileChange] = field(default_factory=dict)

    def count(self, transferred: int) -> None:
        """Add the bytes transferred for one file."""
        self.bytes += transferred
        self.largest = max(self.largest, transferred)

    @property
    def summary(self) -> str:
        """One line: the counts of rows checked and of files changed."""
        read = f"{self.read} read ({self.bytes / 1e6:.0f} MB)" if self.bytes else f"{self.read} read"
        changed = f"{len(self.changes)} file{'s' * (len(self.changes) != 1)} changed" if self.changes else "no change"
        return f"{self.table}: {self.checked} checked, {self.kept} kept, {read}, {changed}"

    @property
    def document(self) -> dict[str, Any]:
        """The report as values of JSON."""
        changes = [
            {
                "file": change.name,
                "added": None if (counts := change.lines) is None else counts[0],
                "removed": None if counts is None else counts[1],
                "diff": change.diff or None,
            }
            for change in self.changes.values()
        ]
        return {
            "table": self.table,
            "checked": self.checked,
            "kept": self.kept,
            "read": self.read,
            "bytes": {"total": self.bytes, "largest": self.largest},
            "notes": self.notes,
            "changes": changes,
        }


@dataclass(slots=True, kw_only=True)
class Update:
    """Options and state of one update.

    Attributes:
        root: folder that holds `facts` and `symbols`.
        report: outcome so far.
        only: distributions or releases to read, as the table names them; empty for all.
        index: URL of a simple index.
        write: whether files are written, each whole, as soon as they are known.
        reread: whether to read known rows again; a difference then means that a row is wrong.
        progress: receiver of progress.
        client: HTTP client; by default a new one for this update.
        solve: function that finds locks.
        cache: cache of index pages; by default the user's.
    """

    root: Path
    report: TableReport
    only: tuple[str, ...] = ()
    index: str = PYPI
    write: bool = False
    reread: bool = False
    progress: Progress = field(default_factory=Silent)
    client: Client | None = None
    solve: Solve | None = None
    cache: Cache | None = None

    def text(self, name: str) -> str:
        """The text of a file of the facts; empty if it does not exist.

        Args:
            name: path below `constraints`, with `/`.

        Raises:
            UsageError: the file cannot be read.
        """
        path = self.root / name
        return files.read(path) if path.is_file() else ""

    def put(self, name: str, content: str | bytes) -> None:
        """Record the wanted content of a file, and write it if `write` is set; empty content removes the file."""
        path, after = self.root / name, content.encode() if isinstance(content, str) else content
        now = path.read_bytes() if path.is_file() else b""
        if now == after:
            return
        earlier = self.report.changes.get(name)
        self.report.changes[name] = FileChange(name=name, before=earlier.before if earlier else now, after=after)
        if not self.write:
            return
        if not after:
            with files.writing(path):
                path.unlink()
        elif isinstance(content, str):
            files.write({path: content}, force=True)
        else:
            with files.whole(path) as out:
                out.write(content)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Client]:
        """The client of the update; one that the update made is closed afterwards."""
        if self.client is not None:
            yield self.client
            return
        from tfenv.index.client import Client

        async with Client() as own:
            yield own


class Updater(Protocol):
    """A function that updates one table to what is published."""

    def __call__(self, update: Update, /) -> None:
        """Read what is missing, and `put` the files that change.

        Raises:
            IndexUnavailable: the index or a file cannot be read.
            UsageError: the existing rows are damaged, or a name in `only` does not exist.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedTable:
    """One table that can be read from published files.

    Attributes:
        name: word on the command line.
        about: content of the table, as a noun phrase.
        of: kind of name in `Update.only`; empty if the table is always read whole.
        refresh: updater of the table.
    """

    name: str
    about: str
    refresh: Updater
    of: str = ""
