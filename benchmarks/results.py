"""What was measured, in a JSON file that is written after every measurement."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Results:
    """A JSON file.

    Attributes:
        values: what it holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def add(self, key: str, value: Any) -> None:
        """Keep one more."""
        self.values[key] = value
        self.keep()
        say(f"{key}: {value}")

    def keep(self) -> None:
        """Write it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.values, indent=1, sort_keys=True) + "\n")


def say(text: str) -> None:
    """A line for who waits."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
