"""The lines of a log as plain text, whatever wrote it and however long it is.

Of a long log the beginning, the end, and the telling lines in between are kept, so that time grows with the length of
the log and memory does not. What comes out holds no control characters: it can be printed on a terminal.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 1 << 16
_HEAD: Final = 4
_TAIL: Final = 8
_BETWEEN: Final = 1 << 18
"""Bytes of a chunk; chunks that are kept whole at both ends; characters that are kept from all chunks between."""

_LONGEST: Final = 2000
"""Characters of one line that are kept: the first three quarters and the end."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)|[@-Z\\^_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]+")
_BREAK = re.compile(r"\r*\n|\r")
_WRAP = re.compile(r"[ \t]*\n[ \t]{2,}(?=\S)")
_PREFIX = re.compile(
    r"^(?:\[pod/[^\]\s]{1,200}\]\s+"
    r"|[A-Za-z][\w.-]{0,80}-\d{1,4}\s+\|\s?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)\s(?:(?:stdout|stderr)\s[FP]\s)?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,80} [\w./@-]{1,80}(?:\[\d+\])?: "
    r"|##\[(?:error|warning|group|command)\])"
)
"""What `kubectl`, Docker Compose, container runtimes, syslog and CI put before a line."""

_KEYS = ("log", "message", "msg", "MESSAGE", "textPayload", "line", "text")
"""Where log lines stand that are wrapped in JSON."""

_TELLING = re.compile(
    r"(?i:error|exception|traceback|fail|fatal|abort|kill|cannot|could not|couldn't|unable|mismatch|not found|missing"
    r"|undefined symbol|requires|conflict|incompatible|unsupported|version|warning)|File \""
)


def condensed(stream: BinaryIO) -> str:
    """The part of a log that counts, as plain text.

    Args:
        stream: the log, opened to be read as bytes; UTF-8, or UTF-16 with its byte order mark.
    """
    head: list[str] = []
    between: list[str] = []
    seen: set[str] = set()
    size = 0
    tail: deque[str] = deque()
    for number, chunk in enumerate(_chunks(stream)):
        if number < _HEAD:
            head.append(chunk)
            continue
        tail.append(chunk)
        if len(tail) <= _TAIL:
            continue
        left = tail.popleft()
        if size >= _BETWEEN or _TELLING.search(left) is None:
            continue
        for line in _BREAK.split(left):
            shape = re.sub(r"\d+", "0", line[:200])
            if size < _BETWEEN and shape not in seen and _TELLING.search(line) is not None:
                seen.add(shape)
                between.append(f"{line[:_LONGEST]}\n")
                size += min(len(line), _LONGEST)
    return plain("".join((*head, *between, *tail)))


def plain(text: str) -> str:
    """The text without colours, control characters, wrappers in JSON and prefixes of container tools."""
    return "\n".join(line for raw in _BREAK.split(text) for line in _unpacked(raw))


def unwrapped(text: str) -> str:
    """The text with lines that were broken to fit a page joined again: an indented line continues the one before."""
    return _WRAP.sub(" ", text)


def _unpacked(raw: str) -> Iterator[str]:
    """The line or lines that one line of the file holds."""
    line = _cleaned(raw)
    if line.startswith("{") and (inner := _of_json(line)) is not None:
        yield from (_shortened(_cleaned(part)) for part in _BREAK.split(inner.rstrip("\n")))
    else:
        yield _shortened(line)


def _cleaned(raw: str) -> str:
    line = _CONTROL.sub("", _ESCAPE.sub("", raw))
    while (prefix := _PREFIX.match(line)) is not None:
        line = line[prefix.end() :]
    return line


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST * 3 // 4]} … {line[-_LONGEST // 4 :]}"


def _of_json(line: str) -> str | None:
    """The log line in a JSON object; ``None`` if there is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    places = (value, value.get("jsonPayload")) if isinstance(value, dict) else ()
    return next(
        (place[key] for place in places if isinstance(place, dict) for key in _KEYS if isinstance(place.get(key), str)),
        None,
    )


def _chunks(stream: BinaryIO) -> Iterator[str]:
    """The text in pieces that end with a line, except where a line is too long."""
    first = stream.read(_CHUNK)
    wide = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")(errors="replace")
    rest = ""
    piece = first
    while piece:
        text = rest + decoder.decode(piece)
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        if cut:
            yield text[:cut]
        rest = text[cut:]
        if len(rest) > _CHUNK:
            rest = f"{rest[:_LONGEST]}{rest[-_LONGEST:]}"
        piece = stream.read(_CHUNK)
    if rest:
        yield rest
