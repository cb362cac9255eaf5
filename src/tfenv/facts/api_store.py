"""The files of a package in `constraints/api/`: one for each module below it, `_.txt` for the package itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts.api_releases import Releases
from tfenv.facts.api_rows import Row, parse_row, spell_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

HEADER = (
    "# Written by `tfenv facts update --api`. Version, the Keras it takes from outside, the files that were read;\n"
    "# `link`: names that go on in the rows of Keras. README.md says more.\n"
)
_ROOT, _RELEASES = "_", "releases"


def loads(texts: Mapping[str, str]) -> tuple[Releases, tuple[Row, ...]]:
    """The releases and all rows, sorted by name, from the texts of the files by their stem.

    Raises:
        UsageError: a line is damaged.
    """
    releases = Releases.loads(texts.get(_RELEASES, ""))
    lines: dict[str, list[str]] = {}
    for stem, text in texts.items():
        if stem != _RELEASES:
            for line in text.splitlines():
                name, _, rest = line.partition("\t")
                lines.setdefault(name, []).append(rest)
    return releases, tuple(parse_row(name, lines[name], releases) for name in sorted(lines))


def dumps(releases: Releases, rows: Iterable[Row]) -> dict[str, str]:
    """The texts of the files by their stem; `dumps(*loads(texts)) == texts`."""
    ordered = sorted(rows, key=lambda row: row.name)
    tops = {row.name for row in ordered if "." not in row.name and any(kind == "m" for kind, _ in row.kinds)}
    held: dict[str, list[str]] = {_ROOT: []}
    for row in ordered:
        top, dot, _ = row.name.partition(".")
        stem = top if dot and top in tops else _ROOT
        held.setdefault(stem, []).extend(spell_row(row, releases))
    texts = {stem: "".join(f"{line}\n" for line in lines) for stem, lines in held.items()}
    return texts | {_RELEASES: HEADER + releases.dumps()}


def read(directory: Path) -> dict[str, str]:
    """The texts there are, by stem."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.txt"))}
