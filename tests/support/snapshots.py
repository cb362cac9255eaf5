"""Whole texts kept beside the tests; `TFENV_SNAPSHOTS=write pytest` writes them anew, for a review of the diff."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def check(text: str, path: Path) -> None:
    """Is the text what it was when it was last looked at?"""
    if os.environ.get("TFENV_SNAPSHOTS") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} has changed: see TFENV_SNAPSHOTS in tests/support"
