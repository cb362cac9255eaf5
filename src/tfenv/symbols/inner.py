"""One line of `inner.txt`: a module that can be imported, and the names in it that are not public in any release.

Fields are separated by tabs: module, its releases, then groups of names: `C` classes, `f` functions, `v` values (no
details are recorded), and `=layers` for names that are in `layers` too. A name with releases in brackets exists only in
those. A module that is public in a release has a row of its own as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfenv.symbols.rows import SymbolRow, parse_varied, spell_varied, union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.symbols.releases import Releases

_ALIAS: Final = "="


def parse_inner(name: str, rest: str, releases: Releases) -> dict[str, SymbolRow]:
    """The rows of a module and of its contents, by name, from the fields after the name."""
    spans, *groups = rest.split("\t")
    mask = releases.parse(spans)
    kinds: dict[str, list[tuple[str, int]]] = {}
    aliases: dict[str, list[tuple[str, int]]] = {}
    for group in groups:
        head, _, names = group.partition(" ")
        for one, there in parse_varied(names, mask, releases):
            if head.startswith(_ALIAS):
                target = f"{head.removeprefix(_ALIAS)}.{one}".removeprefix(".")
                aliases.setdefault(one, []).append((target, there))
            else:
                kinds.setdefault(one, []).append((head, there))
    rows = {name: SymbolRow(name=name, mask=mask, kinds=(("m", mask),), inner=True)}
    for one in {**kinds, **aliases}:
        found, same = tuple(kinds.get(one, ())), tuple(aliases.get(one, ()))
        whole = union(there for _, there in (*found, *same))
        rows[f"{name}.{one}"] = SymbolRow(name=f"{name}.{one}", mask=whole, kinds=found, aliases=same, inner=True)
    return rows


def spell_inner(module: SymbolRow, rows: Iterable[SymbolRow], releases: Releases) -> str:
    """The canonical line of a module and its contents."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        last = row.name.rpartition(".")[2]
        for kind, mask in row.kinds:
            groups.setdefault(kind, []).append((last, mask))
        for target, mask in row.aliases:
            groups.setdefault(f"{_ALIAS}{target.rpartition('.')[0]}", []).append((last, mask))
    fields = [f"{head} {spell_varied(tuple(sorted(groups[head])), module.mask, releases)}" for head in sorted(groups)]
    return "\t".join((module.name, releases.spell(module.mask), *fields))
