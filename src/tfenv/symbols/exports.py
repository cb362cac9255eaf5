"""What the libraries of each minor release export: `constraints/symbols/exports.txt`.

::

    exports = symbols.load().exports
    exports.missing(Version("2.15.1"), ["_ZN10tensorflow8OpKernel…"])    # those it lacks; None: not known
    exports.missing(Version("2.15.1"), [...], cc=True)                   # of an op that links `libtensorflow_cc` too
    exports.has_cc(Version("2.11.1"))                                    # False: that library came with 2.12

Of each name four bytes of its BLAKE2b are kept, so that one in 50,000 names that a release lacks is taken to be there.
The file lists the releases with their wheels, then two tables (base64 of xz): `data` of `libtensorflow_framework`, `cc`
of what `libtensorflow_cc` has beyond it. A table has three columns: the hashes in ascending order, as differences; of
each the number of its set of releases; those sets.
"""

from __future__ import annotations

import lzma
import re
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.location import damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Self

MARKS = ("10tensorflow", "3tsl", "4absl", "8protobuf")
"""What is in the names that are kept (namespaces, as they are mangled); also those that begin with `TF_`."""

_CC = re.compile(r"TF_|_Z(TI|TV)?NK?(10tensorflow|3tsl)(?!.*(5Eigen|Ul))")
"""Of `libtensorflow_cc` those names are kept that code of others can mean: TensorFlow's own, less kernels for a device
of Eigen and lambdas. All that it exports (150,000 names a release, kernels by type for the most part) would be 2 MB."""

_HEADER = "# Written by `tfenv facts update exports`: the release read of each minor release, and its wheel; tables.\n"
_TABLES = ("data", "cc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """The file, read.

    Attributes:
        sources: the wheel of each release, oldest first.
        names: the hashes that `libtensorflow_framework` of each release exports.
        cc: those that its `libtensorflow_cc` exports beyond; empty if it has no such library.
    """

    sources: Mapping[Version, str]
    names: Mapping[Version, frozenset[int]]
    cc: Mapping[Version, frozenset[int]]

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read it.

        Raises:
            ValueError: it is damaged.
        """
        packed = _Packed.loads(text)
        names, cc = (packed.names(table) for table in packed.tables)
        return cls(sources=packed.sources, names=names, cc=cc)

    def dumps(self) -> str:
        """The one text that says the same."""
        ordered = sorted(self.sources)
        lines = [f"{version}\t{self.sources[version]}\n" for version in ordered]
        for word, names in zip(_TABLES, (self.names, self.cc), strict=True):
            sets: dict[int, int] = {}
            for at, version in enumerate(ordered):
                for name in names[version]:
                    sets[name] = sets.get(name, 0) | 1 << at
            lines.append(f"{word}\t{b64encode(_pack(sets)).decode()}\n")
        return _HEADER + "".join(lines)


class Exports:
    """The names that each minor release exports; read when the first question comes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def missing(self, release: Version, symbols: Iterable[str], *, cc: bool = False) -> tuple[str, ...] | None:
        """Those names (mangled) that a custom op would look for in vain in this release.

        Names that are not of TensorFlow, nor of what is built into it, are not judged; nor are, with `cc`, those that
        `libtensorflow_cc` might export without being in the table.

        Args:
            release: of TensorFlow.
            symbols: that the op wants from outside.
            cc: does it link `libtensorflow_cc`? It does not see what that exports otherwise.

        Returns:
            Sorted; ``None`` if what the minor release exports is not known.

        Raises:
            UsageError: the table is damaged.
        """
        place = self._places.get((release.major, release.minor))
        if place is None:
            return None
        judged = {one for one in symbols if is_kept(one) and (not cc or is_kept_of_cc(one))}
        tables = self._table.tables if cc else self._table.tables[:1]
        return tuple(sorted(one for one in judged if not any(table.mask(one) >> place & 1 for table in tables)))

    def has_cc(self, release: Version) -> bool | None:
        """Does it come with `libtensorflow_cc`? ``None`` if that is not known. Errors as above."""
        place = self._places.get((release.major, release.minor))
        return None if place is None else any(mask >> place & 1 for mask in self._table.tables[1].masks)

    @property
    def releases(self) -> tuple[Version, ...]:
        """The releases that were read, oldest first: one of each minor release."""
        return tuple(self._table.sources)

    @cached_property
    def _places(self) -> dict[tuple[int, int], int]:
        return {(one.major, one.minor): at for at, one in enumerate(self.releases)}

    @cached_property
    def _table(self) -> _Packed:
        try:
            return _Packed.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise damaged(self._path, error) from None


def is_kept(symbol: str) -> bool:
    """Is it one of those that the table tells of?"""
    return symbol.startswith("TF_") or any(mark in symbol for mark in MARKS)


def is_kept_of_cc(symbol: str) -> bool:
    """Is it one of those that the table of `libtensorflow_cc` tells of?"""
    return _CC.match(symbol) is not None


def hashed(symbol: str) -> int:
    """The four bytes that stand for a name."""
    return int.from_bytes(blake2b(symbol.encode(), digest_size=4).digest(), "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Columns as they are stored; a set of releases has a bit for each, the oldest first."""

    hashes: array[int]
    numbers: array[int]
    masks: array[int]

    def mask(self, symbol: str) -> int:
        """The releases that export a name."""
        wanted = hashed(symbol)
        at = bisect_left(self.hashes, wanted)
        return self.masks[self.numbers[at]] if at < len(self.hashes) and self.hashes[at] == wanted else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """The file as it is stored: of the framework and of `libtensorflow_cc`."""

    sources: Mapping[Version, str]
    tables: tuple[_Table, _Table]

    @classmethod
    def loads(cls, text: str) -> Self:
        rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
        releases, tables = rows[: -len(_TABLES)], rows[-len(_TABLES) :]
        if tuple(word for word, *_ in tables) != _TABLES:
            raise ValueError("its last lines are no tables")
        framework, cc = (_unpack(b64decode(table, validate=True)) for _, table in tables)
        return cls(sources={Version(version): source for version, source in releases}, tables=(framework, cc))

    def names(self, table: _Table) -> dict[Version, frozenset[int]]:
        """The hashes by release."""
        found: dict[Version, set[int]] = {version: set() for version in self.sources}
        holders = [[one for at, one in enumerate(self.sources) if mask >> at & 1] for mask in table.masks]
        for name, number in zip(table.hashes, table.numbers, strict=True):
            for version in holders[number]:
                found[version].add(name)
        return {version: frozenset(names) for version, names in found.items()}


def _pack(sets: Mapping[int, int]) -> bytes:
    hashes = array("I", sorted(sets))
    masks = array("Q", sorted(set(sets.values())))
    number = {mask: at for at, mask in enumerate(masks)}
    deltas = array("I", [one - before for one, before in zip(hashes, [0, *hashes], strict=False)])
    numbers = array("I", [number[sets[one]] for one in hashes])
    head = len(hashes).to_bytes(4, "little") + len(masks).to_bytes(4, "little")
    columns = _planes(deltas, 4) + _planes(numbers, 2) + _planes(masks, 8)
    return lzma.compress(head + columns, preset=9 | lzma.PRESET_EXTREME)


def _unpack(data: bytes) -> _Table:
    try:
        raw = lzma.decompress(data)
    except lzma.LZMAError as error:
        raise ValueError(f"its table cannot be unpacked ({error})") from None
    count, sets = (int.from_bytes(raw[at : at + 4], "little") for at in (0, 4))
    if len(raw) != 8 + 6 * count + 8 * sets:
        raise ValueError("its table is longer or shorter than it says")
    stops = (8, 8 + 4 * count, 8 + 6 * count, len(raw))
    deltas, numbers, masks = (
        _joined(raw[start:stop], width) for start, stop, width in zip(stops, stops[1:], (4, 2, 8), strict=False)
    )
    if max(numbers, default=-1) >= sets:
        raise ValueError("its table names a set that it does not hold")
    return _Table(hashes=array("I", accumulate(deltas)), numbers=numbers, masks=masks)


def _planes(values: array[int], width: int) -> bytes:
    """The lowest bytes of all values, then the next ones: what hardly changes lies together."""
    return b"".join(bytes(value >> 8 * at & 0xFF for value in values) for at in range(width))


def _joined(planes: bytes, width: int) -> array[int]:
    count = len(planes) // width
    raw = bytearray(count * 8)
    for at in range(width):
        raw[at::8] = planes[at * count : (at + 1) * count]
    values = array("Q")
    values.frombytes(bytes(raw))
    return values
