"""What the command line says: data on standard output, talk on standard error."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tfenv.model.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.errors import TfenvError
    from tfenv.model.progress import Progress


class _State:
    """Set once from the options of the command that runs."""

    json = False
    verbosity = 0


def configure(*, json_output: bool = False, quiet: bool = False, verbose: bool = False) -> None:
    """Remember how this command wants to be heard."""
    _State.json = json_output
    _State.verbosity = -1 if quiet else 1 if verbose else 0


def json_mode() -> bool:
    """Was `--json` given?"""
    return _State.json


def _coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _coloured() else text


def say(text: str) -> None:
    """Talk: to standard error, not with `--quiet`."""
    if _State.verbosity >= 0:
        print(text, file=sys.stderr)


def detail(text: str) -> None:
    """Talk that only `--verbose` shows."""
    if _State.verbosity > 0:
        print(_paint(text, "2"), file=sys.stderr)


def data(text: str) -> None:
    """Data: to standard output, always."""
    print(text)


def document(value: object) -> None:
    """A JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def complain(error: TfenvError) -> None:
    """Tell an error: `error:` and `hint:` lines, or a JSON document with `--json`."""
    if _State.json:
        document({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        return
    print(f"{_paint('error:', '1;31')} {error.message}", file=sys.stderr)
    if error.hint:
        print(f"{_paint('hint:', '1;36')} {error.hint}", file=sys.stderr)


def interrupted() -> None:
    """Tell that the user stopped it."""
    if _State.json:
        document({"error": {"code": "interrupted", "message": "interrupted", "hint": None}})
    else:
        say("interrupted")


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars on a terminal, silence elsewhere."""
    if _State.verbosity < 0 or _State.json or not sys.stderr.isatty():
        yield Silent()
        return
    from tfenv.cli._progress import bars

    with bars() as shown:
        yield shown
