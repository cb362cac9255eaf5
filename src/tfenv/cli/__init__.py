"""The command line: parse, call one workflow, print. One error boundary, in `app`."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `tfenv` command."""
    try:
        from tfenv.cli.app import run

        run()
    except KeyboardInterrupt:
        # before any command has begun
        raise SystemExit(130) from None
