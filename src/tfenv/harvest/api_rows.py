"""From the symbols of single releases to rows of `constraints/api/`: what repeats is told once.

Of each release, a symbol with several names is told under one of them and the others point to it; a module with several
names likewise, with all that is in it; members of a class that a public class above it has just so are left out. Then
the releases are laid over each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tfenv.facts.api_rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfenv.facts.api_releases import Releases
    from tfenv.facts.api_rows import Varied
    from tfenv.harvest.api import Symbol

_ALIAS, _LINK = "=", "@"


class Entry(NamedTuple):
    """A symbol of one release as it is told: `alias` names another symbol, then nothing else is set."""

    kind: str
    module: str = ""
    base: str = ""
    parameters: tuple[str, ...] | None = None
    alias: str = ""


def condense(symbols: Mapping[str, Symbol]) -> dict[str, Entry]:
    """What of the symbols of a release has to be told."""
    homes = _homes((name, one.thing) for name, one in symbols.items() if one.kind == "m")
    moved = {name: homes[one.thing] for name, one in symbols.items() if one.kind == "m" and homes[one.thing] != name}
    kept = {name: one for name, one in symbols.items() if not _under(name, moved)}
    homes = _homes((name, one.thing) for name, one in kept.items() if one.thing and one.kind in "cCf")
    found: dict[str, Entry] = {name: Entry(_ALIAS, alias=home) for name, home in moved.items() if name in kept}
    twins = {name for name, one in kept.items() if one.kind in "cC" and one.thing and homes[one.thing] != name}
    for name, one in kept.items():
        owner, _, member = name.rpartition(".")
        if name in found or owner in twins:
            continue
        if one.thing and one.kind in "cCf" and homes[one.thing] != name:
            found[name] = Entry(_ALIAS, alias=homes[one.thing])
            continue
        above = symbols.get(owner)
        if above is not None and above.kind in "cC":
            base = _base(above, homes)
            inherited = symbols.get(f"{base}.{member}") if base else None
            if inherited is not None and (inherited.kind, inherited.parameters) == (one.kind, one.parameters):
                continue
        base = _base(one, homes) if one.kind in "cC" else ""
        found[name] = Entry(one.kind, one.module, base, one.parameters)
    return found


def entries(rows: Iterable[Row], bit: int) -> dict[str, Entry]:
    """What rows tell of one release."""
    found = {}
    for row in rows:
        if not row.mask & bit:
            continue
        alias = _of(row.aliases, bit)
        if alias:
            found[row.name] = Entry(_ALIAS, alias=alias)
            continue
        parameters = None
        if row.parameters is not None and row.known & bit:
            parameters = tuple(name for name, mask in row.parameters if mask & bit)
        found[row.name] = Entry(_of(row.kinds, bit), _of(row.modules, bit), _of(row.bases, bit), parameters)
    return found


def linked(releases: Releases, bit: int) -> dict[str, Entry]:
    """What the links tell of one release; the rest is in its rows."""
    return {name: Entry(_LINK, f"keras.{target}") for name, (mask, target) in releases.links.items() if mask & bit}


def merge(told: Sequence[Mapping[str, Entry]]) -> tuple[Row, ...]:
    """One row for each symbol from the entries of all releases, oldest first; sorted by name.

    Another name that once was (or became) a thing of its own is spelled out everywhere, unless it is a module.
    """
    spelled = {name for entries in told for name, one in entries.items() if one.kind not in (_ALIAS, _LINK)}
    full = [_spelled_out(entries, spelled) for entries in told]
    names = sorted({name for entries in full for name, one in entries.items() if one.kind != _LINK})
    found = []
    for name in names:
        history = [(1 << at, entries[name]) for at, entries in enumerate(full) if name in entries]
        found.append(_row(name, [(bit, one) for bit, one in history if one.kind != _LINK]))
    return tuple(found)


def links(told: Sequence[Mapping[str, Entry]], releases: Releases) -> dict[str, tuple[str, str]]:
    """Where names go on in the rows of another package, in the form of `Releases.links`."""
    masks: dict[tuple[str, str], int] = {}
    for at, entries in enumerate(told):
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


def _row(name: str, history: list[tuple[int, Entry]]) -> Row:
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
    return Row(
        name=name,
        mask=mask,
        kinds=_oldest_first(kinds),
        modules=_oldest_first(modules),
        bases=_oldest_first(bases),
        known=known,
        parameters=tuple(parameters.items()) if known else None,
        aliases=_oldest_first(aliases),
    )


def _oldest_first(values: Mapping[str, int]) -> Varied:
    return tuple(sorted(values.items(), key=lambda pair: (pair[1] & -pair[1], pair[0])))


def _homes(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each thing the name under which it is told."""
    found: dict[str, str] = {}
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
    """Is it inside a module that is told under another name?"""
    at = name.rfind(".")
    while at > 0:
        if name[:at] in moved:
            return True
        at = name.rfind(".", 0, at)
    return False


def _of(varied: Varied, bit: int) -> str:
    return next((value for value, mask in varied if mask & bit), "")
