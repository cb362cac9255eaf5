"""The measurements, in a JSON file that is written after each of them."""

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
        """Keep a measurement."""
        self.values[key] = value
        self.keep()
        say(f"{key}: {value}")

    def keep(self) -> None:
        """Write the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.values, indent=1, sort_keys=True) + "\n")


def say(text: str) -> None:
    """Print a line about the progress."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
