"""The files of a package in `constraints/symbols/api/`: one for each module below it, `_.txt` for the package itself.

`releases.txt` lists the releases, and `inner.txt` what can be imported from modules that are not public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.symbols.inner import parse_inner, spell_inner
from tfenv.symbols.releases import Releases
from tfenv.symbols.rows import SymbolRow, parse_row, share, spell_row, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

HEADER = (
    "# Written by `tfenv facts update symbols`. Version, the Keras it takes from outside, the files that were read;\n"
    "# `link`: names that go on in the rows of Keras. README.md says more.\n"
)
_ROOT, _RELEASES, _INNER = "_", "releases", "inner"


def loads(texts: Mapping[str, str]) -> tuple[Releases, tuple[SymbolRow, ...]]:
    """The releases and all rows, sorted by name, from the texts of the files by stem.

    Raises:
        UsageError: a line is damaged.
    """
    releases = Releases.loads(texts.get(_RELEASES, ""))
    lines: dict[str, list[str]] = {}
    for stem, text in texts.items():
        if stem not in (_RELEASES, _INNER):
            for name, rest in split(text):
                lines.setdefault(name, []).append(rest)
    rows: dict[str, SymbolRow] = {}
    for line in texts.get(_INNER, "").splitlines():
        name, _, rest = line.partition("\t")
        rows |= parse_inner(name, rest, releases)
    rows |= {name: parse_row(name, lines[name], releases) for name in lines}
    return releases, tuple(rows[name] for name in sorted(rows))


def dumps(releases: Releases, rows: Iterable[SymbolRow]) -> dict[str, str]:
    """The texts of the files by stem; `dumps(*loads(texts)) == texts`."""
    ordered = sorted(rows, key=lambda row: row.name)
    tops = {row.name for row in ordered if "." not in row.name and any(kind == "m" for kind, _ in row.kinds)}
    inner: dict[str, list[SymbolRow]] = {}
    held: dict[str, list[str]] = {_ROOT: []}
    for row in ordered:
        if row.inner:
            module = any(kind == "m" for kind, _ in row.kinds)
            below = inner.setdefault(row.name if module else row.name.rpartition(".")[0], [])
            below += [] if module else [row]
            continue
        top, dot, _ = row.name.partition(".")
        stem = top if dot and top in tops else _ROOT
        held.setdefault(stem, []).extend(spell_row(row, releases))
    held = {stem: share(lines) for stem, lines in held.items()}
    if inner:
        held[_INNER] = [spell_inner(row, inner[row.name], releases) for row in ordered if row.name in inner]
    texts = {stem: "".join(f"{line}\n" for line in lines) for stem, lines in held.items()}
    return texts | {_RELEASES: HEADER + releases.dumps()}


def read(directory: Path) -> dict[str, str]:
    """The texts of the files in a folder, by stem."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.txt"))}
