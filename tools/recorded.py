"""What the reader extracted from public projects: TOML without any of their code, and back.

    python -m tools.recorded GIT_DIR LINK PINNED WHERE [LEAVING_OUT…] > projects/NAME.toml

Files are read from the newest commit of a bare or ordinary repository. A line of `uses` is: line of the file, names of
which one must be there, keywords in parentheses, `only 1.4 1.5` where it is reached on some releases only; `*` before a
name: `import *` may have brought it; `[3]` after the line: cell of a notebook.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tfenv.infer.distributions import distribution
from tfenv.infer.python import notebook, reader
from tfenv.infer.uses import EVERYWHERE, Bound, Habit, Imported, Reading, Syntax, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

import tomllib

_LINE = re.compile(r"(\d+)(?:\[(\d+)\])? (.*?)(?: only( .*)?)?$")


@dataclass(frozen=True, kw_only=True)
class Project:
    """One project as it was read.

    Attributes:
        link, commit: where and what.
        pinned: the version of TensorFlow its requirements name; `where`, in which file.
        explained: why that lies outside what was inferred; empty if it does not.
        readings: of its files.
    """

    link: str
    commit: str
    pinned: str
    where: str
    explained: str
    readings: tuple[Reading, ...]


def load(path: Path, minors: tuple[str, ...]) -> Project:
    """Read a file of `projects`."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return Project(
        link=told["link"],
        commit=told["commit"],
        pinned=told["pinned"],
        where=told["where"],
        explained=told.get("explained", ""),
        readings=tuple(_reading(one, minors) for one in told.get("file", [])),
    )


def dumps(project: Project, minors: tuple[str, ...]) -> str:
    """The text of such a file."""
    lines = [f"{key} = {_quoted(getattr(project, key))}" for key in ("link", "commit", "pinned", "where", "explained")]
    for one in project.readings:
        lists = {
            "uses": _lines((use.line, use.cell, _use(use), use.live) for use in _first(one.uses)),
            "bounds": _lines((row.line, row.cell, row.text, row.releases) for row in one.bounds),
            "syntax": _lines((row.line, row.cell, f"{row.python} {row.text}", EVERYWHERE) for row in one.syntax),
            "imports": _lines(
                (row.line, row.cell, row.module, 0 if row.guarded else EVERYWHERE)
                for row in one.imports
                if distribution(row.module)
            ),
            "habits": _lines((row.line, row.cell, f"{row.rule} {row.text}", row.live) for row in one.habits),
            "unread": [(text,) for text in one.unread],
        }
        if not any(lists.values()):
            continue
        lines += ["", "[[file]]", f"name = {_quoted(one.file)}", f"lines = {one.lines}"]
        lines += ["legacy = true"] if one.legacy else []
        for key, rows in lists.items():
            if rows:
                texts = dict.fromkeys(_spelled(row, minors) for row in rows)
                lines += [f"{key} = [", *(f"    {_quoted(text)}," for text in texts), "]"]
    return "\n".join(lines) + "\n"


def _first(uses: Iterable[Use]) -> Iterable[Use]:
    """Of uses that ask for the same, the first."""
    found: dict[tuple[object, ...], Use] = {}
    for use in uses:
        found.setdefault((use.symbols, use.keywords, use.live, use.star), use)
    return found.values()


def _lines(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(rows)


def _spelled(row: tuple[Any, ...], minors: tuple[str, ...]) -> str:
    if len(row) == 1:
        return str(row[0])
    line, cell, text, live = row
    every = (1 << len(minors)) - 1
    places = [name for place, name in enumerate(minors) if live >> place & 1]
    only = "" if live & every == every else " only" + "".join(f" {name}" for name in places)
    return f"{line}{'' if cell is None else f'[{cell}]'} {text}{only}"


def _use(use: Use) -> str:
    names = "|".join(f"*{one}" if use.star else one for one in use.symbols)
    return f"{names} ({' '.join(use.keywords)})" if use.keywords else names


def _quoted(text: str) -> str:
    plain = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text.replace("\\", "\\\\"))
    return '"' + plain.replace('"', '\\"') + '"'


def _reading(told: dict[str, Any], minors: tuple[str, ...]) -> Reading:
    uses, habits, syntax = [], [], []
    for line, cell, text, live in _rows(told, "uses", minors):
        names, _, keywords = text.partition(" (")
        symbols = tuple(one.lstrip("*") for one in names.split("|"))
        given = tuple(keywords.rstrip(")").split())
        uses.append(Use(line=line, cell=cell, symbols=symbols, keywords=given, live=live, star="*" in names))
    for line, cell, text, live in _rows(told, "habits", minors):
        rule, _, what = text.partition(" ")
        habits.append(Habit(line=line, cell=cell, rule=rule, text=what, live=live))
    for line, cell, text, _ in _rows(told, "syntax", minors):
        python, _, what = text.partition(" ")
        syntax.append(Syntax(line=line, cell=cell, text=what, python=python))
    return Reading(
        file=told["name"],
        lines=told["lines"],
        uses=tuple(uses),
        bounds=tuple(
            Bound(line=line, cell=cell, text=text, releases=live)
            for line, cell, text, live in _rows(told, "bounds", minors)
        ),
        syntax=tuple(syntax),
        imports=tuple(
            Imported(line=line, cell=cell, module=text, guarded=not live)
            for line, cell, text, live in _rows(told, "imports", minors)
        ),
        habits=tuple(habits),
        unread=tuple(told.get("unread", ())),
        legacy=told.get("legacy", False),
    )


def _rows(told: dict[str, Any], key: str, minors: tuple[str, ...]) -> Iterator[tuple[int, int | None, str, int]]:
    for row in told.get(key, ()):
        found = _LINE.fullmatch(row)
        assert found is not None, row
        line, cell, text, only = found.groups()
        live = EVERYWHERE
        if row.endswith(" only") or only is not None:
            wanted = set((only or "").split())
            live = sum((name in wanted) << place for place, name in enumerate(minors))
        yield int(line), None if cell is None else int(cell), text, live


def main(folder: str, link: str, pinned: str, where: str, *leaving_out: str) -> None:
    """Read the newest commit of a repository."""
    from tests.infer.surroundings import SURFACE
    from tfenv.workflow.infer import decode

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "--git-dir", folder, *arguments], check=True, capture_output=True).stdout

    names = [one for one in git("ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0") if one]
    names = [one for one in names if one.endswith((".py", ".ipynb")) and not one.startswith(tuple(leaving_out))]
    local = frozenset(part for one in names for part in PurePosixPath(one).with_suffix("").parts)
    readings = []
    for name in names:
        try:
            text = decode(git("show", f"HEAD:{name}"))
        except subprocess.CalledProcessError:  # too large for the copy
            continue
        read = notebook.read if name.endswith(".ipynb") else reader.read
        readings.append(read(text, name, SURFACE.releases, local))
    project = Project(
        link=link,
        commit=git("rev-parse", "HEAD").decode().strip(),
        pinned=pinned,
        where=where,
        explained="",
        readings=tuple(readings),
    )
    sys.stdout.write(dumps(project, SURFACE.minors))


if __name__ == "__main__":
    main(*sys.argv[1:])
