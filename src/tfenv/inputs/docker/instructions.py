"""The instructions of a Dockerfile, and variables in its texts.

Source of the format: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ESCAPE = re.compile(r"^\s*#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"^\s*#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_FLAG = re.compile(r"--[\w-]+(?:=(?:\"[^\"]*\"|\S*))?\s+")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:(:?[-+]|##?|%%?|//?)((?:\$\{[^}]*\}|[^}])*))?\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        word: its name in capitals (`RUN`).
        rest: its arguments, continued lines joined, flags left out.
        flags: its flags (`--from=build`) without the dashes, by name.
        documents: here-documents by name, each with its text.
    """

    word: str
    rest: str
    flags: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str] | None:
        """The arguments in JSON form (`["pip", "install"]`); ``None`` if they have another form."""
        if not self.rest.startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except ValueError:
            return None
        return [str(word) for word in found] if isinstance(found, list) else None


def read(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, in order."""
    lines = text.splitlines()
    escape = _escape(lines)
    position = 0
    while position < len(lines):
        line, position = _joined(lines, position, escape)
        word, _, rest = line.strip().partition(" ")
        if not word:
            continue
        flags: dict[str, str] = {}
        rest = rest.strip()
        while (match := _FLAG.match(f"{rest} ")) is not None:
            name, _, value = match[0].strip()[2:].partition("=")
            flags[name] = value.strip("\"'")
            rest = rest[match.end() :].strip()
        documents: dict[str, str] = {}
        if word.upper() in ("RUN", "COPY", "ADD"):
            for match in _HEREDOC.finditer(rest):
                body, position = _document(lines, position, match[2])
                documents[match[2]] = body
        yield Instruction(word=word.upper(), rest=rest, flags=flags, documents=documents)


def environment(rest: str) -> dict[str, str]:
    """The variables that an `ENV` sets: `ENV NAME value`, or `ENV NAME=value ...`."""
    if "=" not in rest.split(" ", maxsplit=1)[0]:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of its variables; one that is not known stays as it is."""

    def value(match: re.Match[str]) -> str:
        name, operator, operand = match[1] or match[4], match[2] or "", match[3] or ""
        known = variables.get(name)
        if operator.endswith("-"):
            return known or expand(operand, variables)
        if operator.endswith("+"):
            return expand(operand, variables) if known else ""
        if known is None:
            return match[0]
        if operator in ("/", "//"):
            old, _, new = operand.partition("/")
            return known.replace(old, new, 1 if operator == "/" else -1)
        if operator.startswith("#"):
            return known.removeprefix(operand)
        return known.removesuffix(operand) if operator.startswith("%") else known

    return _VARIABLE.sub(value, text)


def _escape(lines: list[str]) -> str:
    """The character that continues a line: a directive in the first lines can replace the backslash."""
    for line in lines:
        if _DIRECTIVE.match(line) is None:
            break
        if (match := _ESCAPE.match(line)) is not None:
            return match[1]
    return "\\"


def _joined(lines: list[str], position: int, escape: str) -> tuple[str, int]:
    """One instruction with its continued lines, comments between them left out, and the position after it."""
    parts: list[str] = []
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.lstrip().startswith("#") or (parts and not line.strip()):
            continue
        ended = line.rstrip()
        if not ended.endswith(escape):
            parts.append(line)
            break
        parts.append(ended[:-1])
    return " ".join(parts), position


def _document(lines: list[str], position: int, end: str) -> tuple[str, int]:
    """The text of a here-document, and the position after its last line."""
    body: list[str] = []
    while position < len(lines) and lines[position].strip() != end:
        body.append(lines[position])
        position += 1
    return "\n".join(body), position + 1
