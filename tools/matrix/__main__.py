"""`python -m tools.matrix [RELEASE[@PYTHON] …]`: try every cell that has not been tried, or those that are named.

It can be stopped at any time and goes on where it was: each outcome is written down as it comes. At the end the two
numbers in the README are those of the table.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tfenv.facts.database import load
from tools import ledger
from tools.matrix import cells, trial

README = Path(__file__).parents[2] / "README.md"


def main() -> None:
    """Fill the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.matrix", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="RELEASE[@PYTHON]", help="2.17, 2.17.1 or 2.17@3.11")
    parser.add_argument("--by", choices=("tfenv", "plain", "both"), default="both", help="whose answer is tried")
    parser.add_argument("--again", action="store_true", help="try again what has failed")
    parser.add_argument("--all", action="store_true", help="try again whatever was tried")
    parser.add_argument("--jobs", type=int, default=1, help="at once")
    parser.add_argument("--part", metavar="K/N", help="only every Nth cell, from the Kth on")
    parser.add_argument("--file", type=Path, default=ledger.FILE, help="where the outcomes go")
    options = parser.parse_args()
    # a hundred unpacked TensorFlows would fill the disk
    os.environ["UV_NO_CACHE"] = "1"
    database = load()
    known = {(each.tensorflow, each.python, each.by): each for each in _alone(options.file)}
    chosen = list(cells.pick(cells.cells(database), options.cells))
    if options.part:
        first, step = map(int, options.part.split("/"))
        chosen = chosen[first % step :: step]
    resolvers = ("tfenv", "plain") if options.by == "both" else (options.by,)
    guard = threading.Lock()
    failed = 0

    def due(cell: cells.Cell, by: str) -> bool:
        tried = known.get((cell.release, cell.python, by))
        return tried is None or options.all or (options.again and not tried.passed)

    def run(work: tuple[cells.Cell, str]) -> None:
        nonlocal failed
        cell, by = work
        started = time.monotonic()
        outcome = trial.by_tfenv(cell, database) if by == "tfenv" else trial.by_plain(cell, database)
        with guard:
            ledger.record(options.file, outcome)
            failed += by == "tfenv" and not outcome.passed
            print(f"{cell} by {by}: {outcome.outcome} ({time.monotonic() - started:.0f} s)", flush=True)

    todo = [(cell, by) for by in resolvers for cell in chosen if due(cell, by)]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, todo))
    tried = _alone(options.file)
    if options.file == ledger.FILE:
        ledger.update_readme(README, tried)
    print(ledger.summary(each for each in tried if cells.Cell(each.tensorflow, each.python) in chosen))
    raise SystemExit(failed > 0)


def _alone(file: Path) -> tuple[ledger.Trial, ...]:
    """The trials of a file that are of TensorFlow alone."""
    return tuple(each for each in ledger.load(file) if each.package is None)


if __name__ == "__main__":
    main()
