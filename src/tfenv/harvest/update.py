"""One update of the facts: where the rows are, what is asked, what was read, what changes.

Each table of the facts is read off published files by one `Updater`; `tfenv.harvest.tables` lists them.
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
    """Finds the lock of a goal; `tfenv.workflow.lock.solve` does."""

    def __call__(self, goal: Goal, *, database: Database, cache: Cache | None) -> Lock:
        """The lock that meets a goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file of the facts as it is and as it should be.

    Attributes:
        name: path of the file below `constraints`, with `/`.
        before: its bytes; empty if there is no file.
        after: its bytes; empty if there should be no file.
    """

    name: str
    before: bytes
    after: bytes

    @property
    def lines(self) -> tuple[int, int] | None:
        """How many lines come and how many go; ``None`` for a file that is not text."""
        try:
            before, after = (set(content.decode().splitlines()) for content in (self.before, self.after))
        except UnicodeDecodeError:
            return None
        return len(after - before), len(before - after)

    @property
    def diff(self) -> str:
        """The difference in unified form; empty where it is too long for a reader."""
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
        """One line: which file, and how many lines come and go."""
        counts = self.lines
        return f"{self.name}: " + ("differs" if counts is None else f"+{counts[0]} -{counts[1]} lines")


@dataclass(slots=True, kw_only=True)
class TableReport:
    """The outcome of the update of one table.

    Attributes:
        table: name of the table.
        checked: count of releases or projects that the table should have.
        kept: of these, those whose rows were there, and still true.
        read: of these, those that were read now.
        bytes: transferred for them.
        largest: bytes transferred for the file that needed most.
        notes: sentences about what was found.
        changes: by name of the file.
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
        """One line: how much was looked at, and how much changes."""
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
    """What an updater works with.

    Attributes:
        root: folder that holds `facts` and `symbols`.
        report: outcome so far.
        only: what to look at, in words of the table (names of distributions, releases); everything if empty.
        index: URL of a simple index.
        write: whether files are written, each whole, as soon as they are known.
        reread: whether to read again what is known; a difference then means that a row is wrong.
        progress: receives the work under way.
        client: for HTTP; by default one for this update.
        solve: finds locks.
        cache: of pages; by default the user's.
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
        """The text of a file of the facts; empty if there is none.

        Args:
            name: path below `constraints`, with `/`.

        Raises:
            UsageError: it cannot be read.
        """
        path = self.root / name
        return files.read(path) if path.is_file() else ""

    def put(self, name: str, content: str | bytes) -> None:
        """Note what a file should hold, and write it if files are written; nothing to hold removes it."""
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
        """The client of the update, closed afterwards if it is its own."""
        if self.client is not None:
            yield self.client
            return
        from tfenv.index.client import Client

        async with Client() as own:
            yield own


class Updater(Protocol):
    """Brings one table up to what is published."""

    def __call__(self, update: Update, /) -> None:
        """Read what is missing, and put the files that change.

        Raises:
            IndexUnavailable: the index or a file cannot be read.
            UsageError: the rows at hand are damaged, or what was asked for does not exist.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedTable:
    """One table that can be read off published files.

    Attributes:
        name: word on the command line.
        about: content of the table, as a noun phrase.
        of: what `Update.only` names; empty if the table is always read whole.
        refresh: reads it.
    """

    name: str
    about: str
    refresh: Updater
    of: str = ""
