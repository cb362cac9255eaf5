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
from tools.companions import pairs, stacks
from tools.companions.trial import attempt

FILE = Path(__file__).parents[2] / "constraints" / "evidence" / "pairs.toml"


def main() -> None:
    """Fill the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.companions", description=__doc__)
    parser.add_argument("stacks", nargs="*", metavar="RELEASE[@PYTHON]", help="2.15 or 2.15@3.11")
    parser.add_argument("--again", action="store_true", help="try again pairs that have failed")
    parser.add_argument("--all", action="store_true", help="try again whatever was tried")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the environment there")
    parser.add_argument("--file", type=Path, default=FILE, help="where the outcomes go")
    options = parser.parse_args()
    os.environ["UV_NO_CACHE"] = "1"
    database = load()
    failed = 0
    for stack in stacks.pick(stacks.stacks(), options.stacks):
        known = {pair.key[1:]: pair for pair in pairs.load(options.file) if _minor(pair) == stack.tensorflow}
        here = [known.get((stack.python, stack.keras or 0, name)) for name in stack.companions]
        rest = tuple(
            text
            for text, pair in zip(stack.requires, here, strict=True)
            if options.all or pair is None or (options.again and not pair.passed)
        )
        if not rest:
            continue
        started = time.monotonic()
        try:
            for pair in attempt(replace(stack, requires=rest), database, keep=options.keep):
                options.file.write_text(pairs.dumps((*pairs.load(options.file), pair)), encoding="utf-8")
                failed += not pair.passed
                print(f"{pair.tensorflow} with {pair.package} {pair.version}: {pair.outcome}", flush=True)
        except TfenvError as error:
            failed += 1
            print(f"{stack}: {error}", flush=True)
        print(f"{stack}: {time.monotonic() - started:.0f} s", flush=True)
    tried = pairs.load(options.file)
    print(f"{sum(pair.passed for pair in tried)} of {len(tried)} pairs passed")
    raise SystemExit(failed > 0)


def _minor(pair: pairs.Pair) -> str:
    return f"{pair.tensorflow.major}.{pair.tensorflow.minor}"


if __name__ == "__main__":
    main()
