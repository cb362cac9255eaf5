"""`python -m tools.companions [RELEASE[@PYTHON] …]`: try every pair that has not been tried, or those that are named.

It can be stopped at any time and goes on where it was: each outcome is written down as it comes.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

from tfenv.errors import TfenvError
from tfenv.facts.database import load
from tools import ledger
from tools.companions import stacks
from tools.companions.trial import attempt


def main() -> None:
    """Fill the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.companions", description=__doc__)
    parser.add_argument("stacks", nargs="*", metavar="RELEASE[@PYTHON]", help="2.15 or 2.15@3.11")
    parser.add_argument("--again", action="store_true", help="try again pairs that have failed")
    parser.add_argument("--all", action="store_true", help="try again whatever was tried")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the environment there")
    parser.add_argument("--file", type=Path, default=ledger.FILE, help="where the outcomes go")
    options = parser.parse_args()
    os.environ["UV_NO_CACHE"] = "1"
    database = load()
    failed = 0
    for stack in stacks.pick(stacks.stacks(), options.stacks):
        here = {
            pair.package: pair
            for pair in _pairs(options.file)
            if (pair.minor, pair.python, pair.keras) == (stack.tensorflow, stack.python, stack.keras)
        }
        rest = tuple(
            text
            for text, name in zip(stack.requires, stack.companions, strict=True)
            if options.all or name not in here or (options.again and not here[name].passed)
        )
        if not rest:
            continue
        started = time.monotonic()
        try:
            for pair in attempt(replace(stack, requires=rest), database, keep=options.keep):
                ledger.record(options.file, pair)
                failed += not pair.passed
                print(f"{pair.tensorflow} with {pair.package} {pair.version}: {pair.outcome}", flush=True)
        except TfenvError as error:
            failed += 1
            print(f"{stack}: {error}", flush=True)
        print(f"{stack}: {time.monotonic() - started:.0f} s", flush=True)
    tried = _pairs(options.file)
    print(f"{sum(pair.passed for pair in tried)} of {len(tried)} pairs passed")
    raise SystemExit(failed > 0)


def _pairs(file: Path) -> tuple[ledger.Trial, ...]:
    """The trials of a file that are of a companion."""
    return tuple(each for each in ledger.load(file) if each.package is not None)


if __name__ == "__main__":
    main()
