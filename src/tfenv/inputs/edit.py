"""Writes a request into `[tool.tfenv]` of a `pyproject.toml` and leaves everything else unchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError
from tfenv.inputs.request import KEYS
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tomlkit.items import Table


def edit(content: str, values: Mapping[str, object], *, target: str | None = None, name: str = "pyproject.toml") -> str:
    """The text of a file after keys of `[tool.tfenv]` were set; unchanged if it has these values already.

    Args:
        content: text of the file.
        values: values by key (`gpu`, `index-url`), already checked; other keys of the table stay.
        target: name of the target whose table `[tool.tfenv.targets.NAME]` is changed instead.
        name: name of the file, for error messages.

    Raises:
        UsageError: the text is not TOML, or a value is in the place of a table.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = ("tool", "tfenv", *(("targets", target) if target else ()))
    wanted = formats.toml(content, name)
    table: Any = wanted
    is_there = True
    for depth, key in enumerate(path, 1):
        is_there = is_there and key in table
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise UsageError(f"`{name}`: `{'.'.join(path[:depth])}` must be a table")
    table |= {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    line = "\r\n" if "\r\n" in content else "\n"
    if not is_there:
        # a new table goes to the end of the file, where it disturbs the layout least
        before = f"{content.rstrip()}{line}{line}" if content.strip() else ""
        content = f"{before}[{'.'.join(path)}]{line}"
    try:
        document = tomlkit.parse(content)
        table = document
        for key in path:
            table = table[key]
        for key in KEYS:
            if key in values:
                _set(table, key, values[key])
        written = re.sub(r"(?<!\r)\n", line, tomlkit.dumps(document))
        if formats.toml(written, name) == wanted:
            return written
    except (TOMLKitError, UsageError):
        pass
    raise UsageError(
        f"`{name}`: `{'.'.join(path)}` is written in a way that cannot be edited",
        hint=f"write it as a table of its own, `[{'.'.join(path)}]`, and repeat",
    )


def _set(table: Table, key: str, value: object) -> None:
    """Set one key, unless it has this value already."""
    from tomlkit import array, item
    from tomlkit.items import Array

    value = list(value) if isinstance(value, tuple) else value
    old = table.get(key)
    if old == value:
        return
    if not isinstance(value, list):
        table[key] = value
        return
    if isinstance(old, Array):
        # change the array in place: this keeps its layout and the comments on the remaining values
        for index in reversed(range(len(old))):
            if old[index] not in value:
                del old[index]
        for each in value:
            if each not in old:
                old.append(each)
        if list(old) == value:
            return
    fresh = array()
    fresh.extend(item(each) for each in value)
    table[key] = fresh.multiline(len(fresh.as_string()) > 100)
