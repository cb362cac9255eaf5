"""`python -m tools.coverage_by_room`: branch coverage of each room, from the data that `pytest --cov` left.

Fails if a room of the core is below its bar. Modules below 80 % are listed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

CORE = ("check", "facts", "inputs", "outputs", "resolver", "store")
"""rooms whose branches are covered by `CORE_BAR` percent or more"""

CORE_BAR = 90.0
MODULE_BAR = 80.0


def room_of(path: str) -> str:
    """The room of a module, sub-rooms included; modules beside the rooms are in `tfenv`."""
    parts = Path(path).parts
    below = parts[parts.index("tfenv") + 1 :]
    return below[0] if len(below) > 1 else "tfenv"


def percent(summary: dict[str, Any]) -> float:
    """Covered lines and branches in percent of all, as coverage.py counts them with `branch = true`."""
    total = summary["num_statements"] + summary["num_branches"]
    return 100.0 if not total else 100.0 * (summary["covered_lines"] + summary["covered_branches"]) / total


def rooms(report: dict[str, Any]) -> dict[str, float]:
    """Coverage of each room, in percent."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path, module in report["files"].items():
        for key, value in module["summary"].items():
            if isinstance(value, int):
                sums[room_of(path)][key] += value
    return {room: percent(summary) for room, summary in sorted(sums.items())}


def weak(report: dict[str, Any]) -> dict[str, float]:
    """Modules below `MODULE_BAR`, in percent."""
    found = {path: percent(module["summary"]) for path, module in report["files"].items()}
    return {path: covered for path, covered in sorted(found.items()) if covered < MODULE_BAR}


def main() -> int:
    """Print the table; 1 if a room of the core is below its bar."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        subprocess.run(["coverage", "json", "-q", "-o", str(path)], check=True)
        report = json.loads(path.read_text(encoding="utf-8"))
    by_room = rooms(report)
    for room, covered in by_room.items():
        print(f"{room:10} {covered:5.1f} %{'  (core)' if room in CORE else ''}")
    for module, covered in weak(report).items():
        print(f"below {MODULE_BAR:.0f} %: {module} {covered:.1f} %")
    below = [room for room in CORE if by_room.get(room, 0.0) < CORE_BAR]
    if below:
        print(f"below {CORE_BAR:.0f} % in the core: {', '.join(below)}")
    return int(bool(below))


if __name__ == "__main__":
    sys.exit(main())
