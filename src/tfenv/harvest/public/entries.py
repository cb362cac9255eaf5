"""From the symbols of single releases to rows of `constraints/symbols/api/`, where nothing is written twice.

In each release, a symbol with several names is written under one of them, and the other names point to that one. Two
modules with the same names for the same objects are treated likewise, with their contents. Members of a class that a
public base class has unchanged are omitted. Then the releases are merged.

For inner modules and their contents, which no release exports, only their presence or another name is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tfenv.symbols.rows import SymbolRow

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from tfenv.harvest.public.symbols import Symbol
    from tfenv.symbols.releases import Releases
    from tfenv.symbols.rows import Varied

_ALIAS, _LINK = "=", "@"

T = TypeVar("T")

_HOPS = 12


class Entry(NamedTuple):
    """A symbol of one release as it is written; if `alias` names another symbol, nothing else is set.

    `inner` is set for a symbol that can be imported but is not public.
    """

    kind: str
    module: str = ""
    base: str = ""
    parameters: tuple[str, ...] | None = None
    alias: str = ""
    inner: bool = False


def condense(symbols: Mapping[str, Symbol]) -> dict[str, Entry]:
    """The entries that the symbols of a release need."""
    shown = {name: one for name, one in symbols.items() if not one.inner}
    moved = _moved(shown)
    kept = {name: one for name, one in symbols.items() if one.inner or not _under(name, moved)}
    things = [(name, one) for name, one in kept.items() if one.thing and one.kind in "cCf"]
    public = _homes((name, one.thing) for name, one in things if not one.inner)
    same = _homes((name, _named(name, one)) for name, one in things if not one.inner)
    homes = _homes((name, one.thing) for name, one in things if one.inner)
    homes |= _homes((name, one.thing) for name, one in things if one.inner and _is_made_there(name, one)) | public
    found: dict[str, Entry] = {name: Entry(_ALIAS, alias=home) for name, home in moved.items() if name in kept}
    twins = {name for name, one in kept.items() if one.kind in "cC" and one.thing and homes[one.thing] != name}
    for name, one in kept.items():
        owner, _, member = name.rpartition(".")
        if name in found or owner in twins:
            continue
        if one.thing and one.kind in "cCf" and homes[one.thing] != name:
            home = same.get(_named(name, one)) if one.inner else None
            found[name] = Entry(_ALIAS, alias=home or homes[one.thing], inner=one.inner)
            continue
        above = symbols.get(owner)
        if above is not None and above.kind in "cC":
            base = _base(above, public)
            inherited = symbols.get(f"{base}.{member}") if base else None
            if inherited is not None and (inherited.kind, inherited.parameters) == (one.kind, one.parameters):
                continue
        base = _base(one, public) if one.kind in "cC" else ""
        found[name] = Entry(one.kind, one.module, base, one.parameters, inner=one.inner)
    return found


def entries(rows: Iterable[SymbolRow], bit: int) -> dict[str, Entry]:
    """The entries of one release in the rows."""
    found = {}
    for row in rows:
        if not row.mask & bit:
            continue
        alias = _of(row.aliases, bit)
        if alias:
            found[row.name] = Entry(_ALIAS, alias=alias, inner=row.inner)
            continue
        parameters = None
        if row.parameters is not None and row.known & bit:
            parameters = tuple(name for name, mask in row.parameters if mask & bit)
        kind, module, base = (_of(one, bit) for one in (row.kinds, row.modules, row.bases))
        found[row.name] = Entry(kind, module, base, parameters, inner=row.inner)
    return found


def linked(releases: Releases, bit: int) -> dict[str, Entry]:
    """The entries of one release in the links; the others are in the rows."""
    return {name: Entry(_LINK, f"keras.{target}") for name, (mask, target) in releases.links.items() if mask & bit}


def merge(releases: Sequence[Mapping[str, Entry]]) -> tuple[SymbolRow, ...]:
    """One row for each symbol from the entries of all releases, oldest first; sorted by name.

    An alias that is a separate object in another release is written out in every release, unless it is a module or not
    public.
    """
    shown = {name for entries in releases for name, one in entries.items() if not one.inner}
    settled = [_settled(entries, shown) for entries in releases]
    spelled = {
        name
        for entries in settled
        for name, one in entries.items()
        if one.kind not in (_ALIAS, _LINK) and not one.inner
    }
    full = [_spelled_out(entries, spelled) for entries in settled]
    names = sorted({name for entries in full for name, one in entries.items() if one.kind != _LINK})
    found = []
    for name in names:
        history = [(1 << at, entries[name]) for at, entries in enumerate(full) if name in entries]
        found.append(_row(name, [(bit, one) for bit, one in history if one.kind != _LINK]))
    return tuple(found)


def _settled(entries: Mapping[str, Entry], shown: set[str]) -> dict[str, Entry]:
    """Reduce inner symbols that no release exports to their kind; make the others public."""
    found = {}
    for name, one in entries.items():
        owner = name.rpartition(".")[0]
        if not one.inner or name in shown:
            found[name] = one._replace(inner=False)
        elif owner in entries and entries[owner].kind != "m":  # a member of a class
            if owner in shown:
                found[name] = one._replace(inner=False)
        elif one.alias in shown and _same_last(one.alias, name):
            found[name] = one
        else:
            kind = _kind(entries, one)
            found[name] = Entry("C" if kind == "c" else kind, inner=True)
    return found


def _same_last(one: str, other: str) -> bool:
    return one.rpartition(".")[2] == other.rpartition(".")[2]


def _kind(entries: Mapping[str, Entry], one: Entry) -> str:
    """The kind of the symbol at the end of a chain of aliases."""
    for _ in range(_HOPS):
        there = entries.get(one.alias) if one.alias else None
        if there is None:
            break
        one = there
    return "v" if one.alias else one.kind


def links(history: Sequence[Mapping[str, Entry]], releases: Releases) -> dict[str, tuple[str, str]]:
    """Names that continue in the rows of another package, in the form of `Releases.links`."""
    masks: dict[tuple[str, str], int] = {}
    for at, entries in enumerate(history):
        for name, one in entries.items():
            if one.kind == _LINK:
                key = (name, one.module.partition(".")[2])
                masks[key] = masks.get(key, 0) | 1 << at
    return {name: (releases.spell(mask), target) for (name, target), mask in masks.items()}


def _spelled_out(entries: Mapping[str, Entry], spelled: set[str]) -> dict[str, Entry]:
    found = dict(entries)
    members: dict[str, list[str]] = {}
    for name in entries:
        members.setdefault(name.rpartition(".")[0], []).append(name)
    for name, one in entries.items():
        target = entries.get(one.alias) if one.alias else None
        if target is None or name not in spelled or target.kind == "m":
            continue
        found[name] = target
        if target.kind in "cC":
            for member in members.get(one.alias, ()):
                found[f"{name}{member.removeprefix(one.alias)}"] = entries[member]
    return found


def _row(name: str, history: list[tuple[int, Entry]]) -> SymbolRow:
    mask, known = 0, 0
    kinds: dict[str, int] = {}
    modules: dict[str, int] = {}
    bases: dict[str, int] = {}
    aliases: dict[str, int] = {}
    parameters: dict[str, int] = {}
    for bit, one in reversed(history):  # the order of the newest signature counts
        mask |= bit
        if one.parameters is not None:
            known |= bit
            for parameter in one.parameters:
                parameters[parameter] = parameters.get(parameter, 0) | bit
        kind = "" if one.alias else one.kind
        for values, value in ((kinds, kind), (modules, one.module), (bases, one.base), (aliases, one.alias)):
            if value:
                values[value] = values.get(value, 0) | bit
    return SymbolRow(
        name=name,
        mask=mask,
        kinds=_oldest_first(kinds),
        modules=_oldest_first(modules),
        bases=_oldest_first(bases),
        known=known,
        parameters=tuple(parameters.items()) if known else None,
        aliases=_oldest_first(aliases),
        inner=any(one.inner for _, one in history),
    )


def _oldest_first(values: Mapping[str, int]) -> Varied:
    return tuple(sorted(values.items(), key=lambda pair: (pair[1] & -pair[1], pair[0])))


def _moved(symbols: Mapping[str, Symbol]) -> dict[str, str]:
    """Modules that are written under another name: the same module, or one with the same names for the same objects."""
    modules = {name: one for name, one in symbols.items() if one.kind == "m"}
    homes = _homes((name, one.thing) for name, one in modules.items())
    moved = {name: homes[one.thing] for name, one in modules.items() if homes[one.thing] != name}
    below: dict[str, list[str]] = {}
    for name in symbols:
        below.setdefault(name.rpartition(".")[0], []).append(name)
    contents: dict[str, Hashable] = {}

    def content(name: str) -> Hashable:
        one = symbols[name]
        if one.kind != "m":
            return one.thing or (one.kind, one.module, one.parameters)
        name = moved.get(name, name)
        if name not in contents:
            contents[name] = one.thing  # modules may contain each other
            inside = frozenset((child.rpartition(".")[2], content(child)) for child in below.get(name, ()))
            contents[name] = inside or one.thing
        return contents[name]

    homes_of = _homes((name, content(name)) for name in modules if name not in moved)
    written = {name: homes_of[content(name)] for name in modules}
    return {name: home for name, home in written.items() if home != name}


def _named(name: str, one: Symbol) -> str:
    return f"{one.thing} {name.rpartition('.')[2]}"


def _is_made_there(name: str, one: Symbol) -> bool:
    """Whether a symbol is defined in the module that this name belongs to."""
    return one.module.partition(".")[2] == name.rpartition(".")[0]


def _homes(names: Iterable[tuple[str, T]]) -> dict[T, str]:
    """The name under which each object is written."""
    found: dict[T, str] = {}
    for name, thing in names:
        if thing not in found or _plainness(name) < _plainness(found[thing]):
            found[thing] = name
    return found


def _plainness(name: str) -> tuple[bool, bool, bool, int, int, str]:
    words = name.split(".")
    return ("compat" in words, words[0] == "_tf_keras", "experimental" in words, len(words), len(name), name)


def _base(one: Symbol, homes: Mapping[str, str]) -> str:
    """The nearest public class that a class inherits from."""
    return next((homes[thing] for thing in one.lineage if thing in homes), "")


def _under(name: str, moved: Mapping[str, str]) -> bool:
    """Whether a name is inside a module that is written under another name."""
    at = name.rfind(".")
    while at > 0:
        if name[:at] in moved:
            return True
        at = name.rfind(".", 0, at)
    return False


def _of(varied: Varied, bit: int) -> str:
    return next((value for value, mask in varied if mask & bit), "")
