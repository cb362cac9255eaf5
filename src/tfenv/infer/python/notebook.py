"""Jupyter notebooks: the code of their cells, without magics. Findings name the cell and its line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from tfenv.infer.python.reader import read as read_python
from tfenv.infer.uses import Bound, Habit, Imported, Reading, Syntax, Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

_T = TypeVar("_T", Use, Bound, Syntax, Imported, Habit)
_MAGIC: Final = re.compile(r"^(\s*)(?:[!%?]|\w[\w.]*\?+\s*$)")
_ASSIGNED: Final = re.compile(r"^(\s*[\w, ]+=\s*)[!%].*$")


def read(text: str, file: str, releases: Sequence[Version], local: frozenset[str] = frozenset()) -> Reading:
    """Read a notebook. The arguments are those of `tfenv.infer.python.reader.read`."""
    try:
        cells = _cells(json.loads(text))
    except (ValueError, RecursionError) as error:
        return Reading(file=file, unread=(f"`{file}` is not a notebook: {error}",))
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    for number, source in cells:
        for at, line in enumerate(_plain(source), 1):
            lines.append(line)
            places.append((number, at))
    whole = read_python("\n".join(lines), file, releases, local)

    def placed(found: Sequence[_T]) -> tuple[_T, ...]:
        return tuple(_placed(one, places) for one in found)

    return replace(
        whole,
        uses=placed(whole.uses),
        bounds=placed(whole.bounds),
        syntax=placed(whole.syntax),
        imports=placed(whole.imports),
        habits=placed(whole.habits),
    )


def _placed(one: _T, places: Sequence[tuple[int, int]]) -> _T:
    cell, line = places[min(one.line, len(places)) - 1]
    return replace(one, cell=cell, line=line)


def _cells(document: object) -> list[tuple[int, str]]:
    """The code cells with their numbers, counted over all cells from 1; format 3 keeps them in worksheets."""
    if not isinstance(document, dict):
        raise ValueError("its JSON is not an object")  # noqa: TRY004 - one kind of error for every fault of a notebook
    cells = document.get("cells")
    if cells is None:
        sheets = document.get("worksheets")
        held = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        cells = [cell for each in held if isinstance(each, list) for cell in each] if held else None
    if not isinstance(cells, list):
        raise ValueError("it has no cells")  # noqa: TRY004
    found = []
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            parts = source if isinstance(source, list) else [source]
            found.append((number, "".join(part for part in parts if isinstance(part, str))))
    return found


def _plain(source: str) -> list[str]:
    """The lines of a cell, with `pass` instead of magics, shell commands and `?` queries."""
    lines = source.split("\n")
    if lines and lines[0].startswith("%%") and not lines[0].startswith(("%%time", "%%capture", "%%prun")):
        return ["pass"] * len(lines)
    plain, going_on = [], False
    for line in lines:
        magic = _MAGIC.match(line)
        if going_on:
            plain.append("")
        elif magic is not None:
            plain.append(f"{magic[1]}pass")
        else:
            plain.append(_ASSIGNED.sub(r"\1None", line))
        going_on = (going_on or magic is not None) and line.rstrip().endswith("\\")
    return plain
