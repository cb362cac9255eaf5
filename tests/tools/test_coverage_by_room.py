"""The table of coverage by room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.coverage_by_room import CORE, room_of, rooms, weak

SOURCES = Path(__file__).parents[2] / "src" / "tfenv"


def _module(lines: int, covered: int) -> dict[str, Any]:
    return {
        "summary": {"num_statements": lines, "covered_lines": covered, "num_branches": 0, "covered_branches": 0},
    }


def test_rooms_and_weak_modules() -> None:
    """A room is the sum of its modules, sub-rooms included; a weak module is named whatever its room is."""
    report = {"files": {"src/tfenv/infer/python/reader.py": _module(10, 5), "src/tfenv/infer/uses.py": _module(30, 30)}}
    assert rooms(report) == {"infer": 87.5}
    assert list(weak(report)) == ["src/tfenv/infer/python/reader.py"]
    assert room_of("src/tfenv/errors.py") == "tfenv"


def test_the_core_exists() -> None:
    """Each room of the core is a folder."""
    assert all((SOURCES / room).is_dir() for room in CORE)
