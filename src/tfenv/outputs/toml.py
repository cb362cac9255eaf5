"""Tables as TOML text, in one layout.

Scalars are written by tomlkit. The tables around them are not, because a tomlkit document of 170 packages takes
0.3 s to build, longer than reading a lock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""ASCII without quotes, backslashes and control characters: nothing to escape"""
_WIDTH = 100
"""characters; arrays that fit into them are written on one line"""


class Inline(dict[str, object]):
    """A table that is written on one line, in braces."""


def dumps(document: Mapping[str, object]) -> str:
    """The document as TOML.

    A table's own values come before its tables; otherwise the given order is kept. Values of ``None`` are left out.
    """
    lines: list[str] = []
    _write(lines, document, ())
    return "\n".join(lines) + "\n"


def _write(lines: list[str], table: Mapping[str, object], path: tuple[str, ...], *, grouped: bool = False) -> None:
    """Append a table's values, then its tables; `grouped` tables belong to one element and follow without a gap."""
    nested: list[tuple[str, object]] = []
    for key, value in table.items():
        if value is None:
            continue
        if _is_table(value) or _is_tables(value):
            nested.append((key, value))
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in nested:
        below = (*path, key)
        header = ".".join(_key(part) for part in below)
        if _is_table(value):
            if any(not (_is_table(inner) or inner is None) for inner in value.values()) or not value:
                lines += [*([] if grouped else [""]), f"[{header}]"]
            _write(lines, value, below, grouped=grouped)
        elif _is_tables(value):
            for element in value:
                lines += [*([] if grouped else [""]), f"[[{header}]]"]
                _write(lines, element, below, grouped=True)


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict) and not isinstance(value, Inline)


def _is_tables(value: object) -> TypeGuard[Sequence[Mapping[str, object]]]:
    return isinstance(value, list) and bool(value) and all(_is_table(element) for element in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(value: str) -> str:
    if _PLAIN.fullmatch(value):  # tomlkit examines each character, which takes 0.1 s for a lock
        return f'"{value}"'
    from tomlkit import string

    return string(value).as_string()


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _string(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Inline():
            inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
            return f"{{{inner}}}"
        case list() | tuple():
            items = [_value(item) for item in value]
            line = f"[{', '.join(items)}]"
            if len(line) <= _WIDTH:
                return line
            return "\n".join(("[", *(f"    {item}," for item in items), "]"))
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")
