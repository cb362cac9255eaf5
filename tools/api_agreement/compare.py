"""The table of symbols against what a walk through the imported package found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.harvest.public.entries import entries
from tfenv.symbols import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from packaging.version import Version

    from tfenv.harvest.public.entries import Entry

Parameters = tuple[str, ...] | None

_DEPTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How a release of the table compares with the real thing.

    Attributes:
        both: names that both have.
        told: names that only the table has.
        real: names that only the walk found.
        signatures: callables of which both know the parameters.
        differing: of these, those whose names of parameters differ: as told, as found.
    """

    both: frozenset[str]
    told: frozenset[str]
    real: frozenset[str]
    signatures: frozenset[str]
    differing: Mapping[str, tuple[frozenset[str], frozenset[str]]]

    @property
    def names(self) -> float:
        """The part of all names, on either side, that both have."""
        return len(self.both) / max(1, len(self.both) + len(self.told) + len(self.real))

    @property
    def differences(self) -> frozenset[str]:
        """All names about which the two do not say the same."""
        return self.told | self.real | frozenset(self.differing)

    @property
    def parameters(self) -> float:
        """The part of the signatures that are the same."""
        return 1 - len(self.differing) / max(1, len(self.signatures))


def compare(told: Mapping[str, Parameters], found: Mapping[str, tuple[str, Parameters]]) -> Agreement:
    """The table's names with their parameters, and the walk's with kind and parameters."""
    both = frozenset(told) & frozenset(found)
    pairs = {name: (told[name], found[name][1]) for name in both}
    known = {name: (frozenset(a), frozenset(b)) for name, (a, b) in pairs.items() if a is not None and b is not None}
    return Agreement(
        both=both,
        told=frozenset(told) - both,
        real=frozenset(found) - both,
        signatures=frozenset(known),
        differing={name: pair for name, pair in known.items() if pair[0] != pair[1]},
    )


def without_details(
    told: Mapping[str, Parameters], inner: frozenset[str], failed: frozenset[str] = frozenset()
) -> dict[str, Parameters]:
    """The table's names, of those in inner modules no parameters and no members: the walk does not look for these.

    Less those of inner modules that could not be imported here (the backends of Keras that want Theano or CNTK).
    """
    found = {}
    for name, parameters in told.items():
        owner = name.rpartition(".")[0]
        above = owner
        while above and above not in inner:
            above = above.rpartition(".")[0]
        if name in failed or owner in failed:
            continue
        if not above or above == owner:
            found[name] = None if above else parameters
    return found


def told(directory: Path, package: str, version: Version, *, keras: Version | None = None) -> dict[str, Parameters]:
    """Every name that the table tells of a release, each spelled out: other names, inherited members, and Keras.

    Args:
        directory: `constraints/symbols/api`.
        package: `tensorflow` or `keras`.
        version: of it; one that the table has.
        keras: that stands beside it, if its `tf.keras` comes from there.
    """
    releases, rows = store.loads(store.read(directory / package))
    bit = releases.bit(version)
    found = spelled_out(entries(rows, bit))
    for link, (mask, target) in releases.links.items():
        if mask & bit and keras is not None:
            there = told(directory, "keras", keras)
            if target not in there:
                continue
            found[link] = None
            found |= {
                f"{link}{name.removeprefix(target)}": parameters
                for name, parameters in there.items()
                if name.startswith(f"{target}.")
            }
    return found


def spelled_out(rows: Mapping[str, Entry]) -> dict[str, Parameters]:
    """All names that the rows of a release stand for: other names followed, inherited members filled in."""
    return dict(_Spelling(rows).all())


class _Spelling:
    def __init__(self, rows: Mapping[str, Entry]) -> None:
        self._rows = rows
        self._below: dict[str, list[str]] = {}
        for name in rows:
            self._below.setdefault(name.rpartition(".")[0], []).append(name)

    def all(self) -> Iterator[tuple[str, Parameters]]:
        for top in self._below.get("", ()):
            yield from self._walk(top, top, _DEPTH)

    def _walk(self, name: str, shown: str, depth: int) -> Iterator[tuple[str, Parameters]]:
        """A name of the table as it is shown under another one, and all that is below it."""
        row = self._rows.get(name)
        if row is None or not depth:
            return
        if row.alias:
            yield from self._walk(row.alias, shown, depth - 1)
            return
        yield shown, row.parameters
        yield from self._inherited(row.base, shown, depth - 1)
        for one in self._below.get(name, ()):
            yield from self._walk(one, f"{shown}{one.removeprefix(name)}", depth - 1)

    def _inherited(self, base: str, shown: str, depth: int) -> Iterator[tuple[str, Parameters]]:
        """What a class has from the public class above it; what is nearer comes later, and counts."""
        row = self._rows.get(base)
        if row is None or not depth:
            return
        if row.alias:
            yield from self._inherited(row.alias, shown, depth - 1)
            return
        yield from self._inherited(row.base, shown, depth - 1)
        for one in self._below.get(base, ()):
            yield from self._walk(one, f"{shown}.{one.rpartition('.')[2]}", depth - 1)
