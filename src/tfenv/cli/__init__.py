"""The command line: parse, call one workflow, print. One error boundary, in `app`."""

from __future__ import annotations

import gc


def main() -> None:
    """Entry point of the `tfenv` command."""
    # a command makes many objects and ends; looking for circles among them takes a tenth of its time
    gc.set_threshold(50_000, 20, 20)
    try:
        from tfenv.cli.app import run

        run()
    except KeyboardInterrupt:
        # before any command has begun
        raise SystemExit(130) from None
