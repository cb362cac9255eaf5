"""The command line: parse, call one service of `workflow`, print. One error boundary, in `app`.

A command imports its service when it runs: `tfenv build --help` would import 156 modules more, `tfenv lock --help` 52.
"""

from __future__ import annotations

import atexit
import gc


def main() -> None:
    """Entry point of the `tfenv` command."""
    # a command makes many objects and ends: looking for circles among them takes a tenth of its time, at the end too
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    try:
        from tfenv.cli.app import run

        run()
    except KeyboardInterrupt:
        # before any command has begun
        raise SystemExit(130) from None
