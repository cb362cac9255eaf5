"""The recorded responses of the real index, in one file: pages, metadata, and the few whole files for builds."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".cache" / "benchmarks"
RECORDING = FOLDER / "world.sqlite"
"""path of the recording; too large for git, so `python -m benchmarks record` makes it"""


class World:
    """Answers by path, compressed.

    Args:
        path: of the file; made if it is not there.
    """

    def __init__(self, path: Path = RECORDING) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(path, check_same_thread=False)
        self._rows.execute("CREATE TABLE IF NOT EXISTS answers (path TEXT PRIMARY KEY, status INTEGER, body BLOB)")

    def get(self, path: str) -> tuple[int, bytes] | None:
        """Status and body of a path; ``None`` if it was not recorded."""
        row = self._rows.execute("SELECT status, body FROM answers WHERE path = ?", (path,)).fetchone()
        return None if row is None else (row[0], zlib.decompress(row[1]))

    def keep(self, path: str, status: int, body: bytes) -> None:
        """Keep a response."""
        with self._rows:
            row = (path, status, zlib.compress(body, 9))
            self._rows.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)

    def paths(self, start: str) -> list[str]:
        """All paths with a prefix."""
        found = self._rows.execute("SELECT path FROM answers WHERE substr(path, 1, ?) = ?", (len(start), start))
        return [path for (path,) in found]
