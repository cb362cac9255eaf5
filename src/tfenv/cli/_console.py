"""Output of the command line: data on standard output, messages on standard error."""

from __future__ import annotations

import codecs
import errno
import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

from tfenv.errors import HostError
from tfenv.model.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.errors import TfenvError
    from tfenv.model.progress import Progress


class _State:
    """Set once from the options of the command that runs."""

    json = False
    verbosity = 0


class OutputLost(Exception):
    """Nothing more can be written to standard output, and a message about it has been shown if it is a fault.

    Attributes:
        exit_code: 0 if the reader has left, as in `tfenv compat | head`; else that of `HostError`.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


_PLAINER = str.maketrans(
    {"≥": ">=", "≤": "<=", "…": "...", "·": "-", "\u2013": "-", "\u2014": "-", "→": "->", "\u00d7": "x"}
)
_HANDLER = "tfenv"
_COLOUR = re.compile(r"(\x1b\[(?:0|2|1;31|1;36)m)")
"""the sequences that `_paint` writes"""


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """A codec error handler: ASCII that means the same where there is some, else the escape sequence of Python."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return text.translate(_PLAINER).encode("ascii", "backslashreplace").decode(), error.end


class _Output:
    """Standard output, whose failures are `OutputLost`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write as a text stream does."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._lose(error)

    def flush(self) -> None:
        """Write out the buffer."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> NoReturn:
        _discard(self._stream)
        # a closed pipe is "invalid argument" on Windows
        if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
            raise OutputLost(0) from None
        _show(HostError(f"standard output cannot be written: {error.strerror}"))
        raise OutputLost(HostError.exit_code) from None


@contextmanager
def tolerant() -> Iterator[None]:
    """Streams that do not fail for reasons that are not those of the command.

    What a terminal or a file cannot show (`LANG=C`, code pages of Windows) is written in plainer characters; a stream
    that the caller closed takes everything; a failure of standard output is `OutputLost`.
    """
    codecs.register_error(_HANDLER, _plainer)
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for stream in before:
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors=_HANDLER)
        sys.stdout = cast("TextIO", _Output(before[0] or nowhere))
        sys.stderr = before[1] or nowhere
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def configure(*, json_output: bool = False, quiet: bool = False, verbose: bool = False) -> None:
    """Store the output options of this command."""
    _State.json = json_output
    _State.verbosity = -1 if quiet else 1 if verbose else 0


def is_heard() -> bool:
    """Whether a person reads the messages: on a terminal, without `--json` and `--quiet`."""
    return not _State.json and _State.verbosity >= 0 and sys.stderr.isatty()


def json_mode() -> bool:
    """Whether `--json` was given."""
    return _State.json


def _coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _coloured() else text


def say(text: str) -> None:
    """Write a message to standard error, except with `--quiet`."""
    if _State.verbosity >= 0:
        _talk(text)


def detail(text: str) -> None:
    """Write a message that only `--verbose` shows."""
    if _State.verbosity > 0:
        _talk(_paint(text, "2"))


def trace(text: str) -> None:
    """Write a traceback to standard error, with any options."""
    _talk(text)


def data(text: str) -> None:
    """Write data to standard output; on a terminal without characters that it would obey."""
    print(_tame(text) if sys.stdout.isatty() else text)


def document(value: object) -> None:
    """Write a JSON document to standard output, in ASCII if the stream cannot encode all of it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    data(json.dumps(value, indent=2, ensure_ascii=not encoding.lower().startswith("utf")))


def complain(error: TfenvError) -> None:
    """Show an error: `error:` and `hint:` lines, or a JSON document with `--json`."""
    if _State.json:
        document({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        return
    _show(error)


def interrupted() -> None:
    """Report that the user stopped the command."""
    if _State.json:
        document({"error": {"code": "interrupted", "message": "interrupted", "hint": None}})
    else:
        say("interrupted")


def _show(error: TfenvError) -> None:
    _talk(f"{_paint('error:', '1;31')} {error.message}")
    if error.hint:
        _talk(f"{_paint('hint:', '1;36')} {error.hint}")


def _talk(text: str) -> None:
    """Write a line to standard error; a closed terminal does not affect the command.

    Characters of foreign texts that a terminal would obey are shown as their escapes; our own colours are kept.
    """
    try:
        print(_tame(text), file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _tame(text: str) -> str:
    """The text with all characters that a terminal would obey as escapes, except our own colours."""
    if text.isprintable():
        return text
    from tfenv.store.foreign import printable

    parts = _COLOUR.split(text)
    return "".join(part if index % 2 else printable(part, kept="\n\t") for index, part in enumerate(parts))


def _discard(stream: TextIO) -> None:
    """Discard further output to a stream, which the end of the process flushes once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars on a terminal, silence elsewhere."""
    if _State.verbosity < 0 or _State.json or not sys.stderr.isatty():
        yield Silent()
        return
    from tfenv.cli._progress import bars

    with bars() as shown:
        yield shown
