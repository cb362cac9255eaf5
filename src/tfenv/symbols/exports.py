"""Symbols that the libraries of each minor release export: `constraints/symbols/exports.txt`.

::

    exports = symbols.load().exports
    exports.missing(Version("2.15.1"), ["_ZN10tensorflow8OpKernel…"])    # those it lacks; None: not known
    exports.missing(Version("2.15.1"), [...], cc=True)                   # of an op that links `libtensorflow_cc` too
    exports.has_cc(Version("2.11.1"))                                    # False: that library came with 2.12

Four bytes of the BLAKE2b of each name are stored, so that one in 50,000 missing names is taken to be present. The file
lists the releases with their wheels, then two tables (base64 of xz): `data` for `libtensorflow_framework`, `cc` for
further names of `libtensorflow_cc`. A table has three columns: the hashes in ascending order, as differences; the
number of each hash's set of releases; those sets.
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
"""Mangled namespaces of the names that are stored; names that begin with `TF_` are stored too."""

_CC = re.compile(r"TF_|_Z(TI|TV)?NK?(10tensorflow|3tsl)(?!.*(5Eigen|Ul))")
"""Names of `libtensorflow_cc` that are stored: TensorFlow's own, without lambdas and Eigen's kernels, which
other code cannot use. All exports (150,000 names a release, mostly kernels by type) would need 2 MB."""

_HEADER = "# Written by `tfenv facts update exports`: the release read of each minor release, and its wheel; tables.\n"
_TABLES = ("data", "cc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """The content of the file.

    Attributes:
        sources: wheel of each release, oldest first.
        names: hashes of the names that `libtensorflow_framework` of each release exports.
        cc: hashes of the further names of its `libtensorflow_cc`; empty if it has no such library.
    """

    sources: Mapping[Version, str]
    names: Mapping[Version, frozenset[int]]
    cc: Mapping[Version, frozenset[int]]

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read the file.

        Raises:
            ValueError: the text is damaged.
        """
        packed = _Packed.loads(text)
        names, cc = (packed.names(table) for table in packed.tables)
        return cls(sources=packed.sources, names=names, cc=cc)

    def dumps(self) -> str:
        """The canonical text of the file."""
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
    """The names that each minor release exports; read on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def missing(self, release: Version, symbols: Iterable[str], *, cc: bool = False) -> tuple[str, ...] | None:
        """The names (mangled) that a custom op needs and this release lacks.

        Ignored are names that belong neither to TensorFlow nor to a library built into it and, with `cc`, names that
        `libtensorflow_cc` may export but the table omits.

        Args:
            release: release of TensorFlow.
            symbols: names that the op needs from other libraries.
            cc: whether the op links `libtensorflow_cc`; otherwise it cannot use the names of that library.

        Returns:
            Sorted names; ``None`` if the exports of the minor release are not known.

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
        """Whether the release includes `libtensorflow_cc`; ``None`` if not known. Raises as `missing` does."""
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
    """Whether a name is of a kind that the table records."""
    return symbol.startswith("TF_") or any(mark in symbol for mark in MARKS)


def is_kept_of_cc(symbol: str) -> bool:
    """Whether a name is of a kind that the table of `libtensorflow_cc` records."""
    return _CC.match(symbol) is not None


def hashed(symbol: str) -> int:
    """The four bytes that represent a name."""
    return int.from_bytes(blake2b(symbol.encode(), digest_size=4).digest(), "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Columns of a table as they are stored; a set of releases has a bit for each release, the oldest first."""

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
    """The stored tables of the framework and of `libtensorflow_cc`."""

    sources: Mapping[Version, str]
    tables: tuple[_Table, _Table]

    @classmethod
    def loads(cls, text: str) -> Self:
        rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
        releases, tables = rows[: -len(_TABLES)], rows[-len(_TABLES) :]
        if tuple(word for word, *_ in tables) != _TABLES:
            raise ValueError("its last lines are not tables")
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
        raise ValueError("its table does not have the declared length")
    stops = (8, 8 + 4 * count, 8 + 6 * count, len(raw))
    deltas, numbers, masks = (
        _joined(raw[start:stop], width) for start, stop, width in zip(stops, stops[1:], (4, 2, 8), strict=False)
    )
    if max(numbers, default=-1) >= sets:
        raise ValueError("its table refers to a set that it does not contain")
    return _Table(hashes=array("I", accumulate(deltas)), numbers=numbers, masks=masks)


def _planes(values: array[int], width: int) -> bytes:
    """The lowest bytes of all values, then the next ones: this puts similar bytes together for compression."""
    return b"".join(bytes(value >> 8 * at & 0xFF for value in values) for at in range(width))


def _joined(planes: bytes, width: int) -> array[int]:
    count = len(planes) // width
    raw = bytearray(count * 8)
    for at in range(width):
        raw[at::8] = planes[at * count : (at + 1) * count]
    values = array("Q")
    values.frombytes(bytes(raw))
    return values
