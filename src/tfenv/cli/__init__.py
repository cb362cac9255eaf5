"""The command line: parse, call one service of `workflow`, print. One error boundary, in `app`.

A command imports its service when it runs: `tfenv build --help` would import 156 modules more, `tfenv lock --help` 52.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal


def main() -> None:
    """Entry point of the `tfenv` command."""
    try:
        # a command creates many objects and ends; garbage collection would take a tenth of its time
        gc.set_threshold(500_000, 50, 50)
        atexit.register(gc.freeze)
        from tfenv.cli.app import run

        run()
    except KeyboardInterrupt:
        # before a command has begun
        raise SystemExit(130) from None
    finally:
        # an interrupt during the interpreter's exit would show a traceback
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
