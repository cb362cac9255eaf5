"""Machine code and PTX for GPUs in a shared library, read from a stream of its bytes.

A fat binary is a header (magic, version, header size, size) and entries: kind (1 PTX, 2 machine code), header size,
size, architecture. PTX names its target and the version of its language in clear text, perhaps packed as an LZ4 block.
The target is what counts: the header of an entry says 90 where the text says `sm_90a`, which runs on 9.0 only. Source:
the layout was read off published wheels, and `cuobjdump` prints the same of those that it opens.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from packaging.version import Version

from tfenv.model.builds import Kernels
from tfenv.model.hardware import Architecture

_MAGIC = b"\x50\xed\x55\xba"
_HEAD = struct.Struct("<4sHHQ")
_ENTRY = struct.Struct("<HHIQIIHHI")
_PTX, _SASS = 1, 2
_FLAGS_AT, _PACKED = 40, 0x2000
_WINDOW = 16 * 2**10
_TEXT = 2000
_TARGET = re.compile(rb"\.target\s+(sm_\d+[af]?)")
_LANGUAGE = re.compile(rb"\.version\s+(\d+\.\d+)")
_LARGEST_ENTRY_HEAD = 4096


@dataclass(slots=True)
class _Open:
    """A fat binary whose entries are being read; offsets count from the start of the library."""

    end: int
    next: int
    sass: set[str] = field(default_factory=set)
    ptx: set[str] = field(default_factory=set)
    language: set[str] = field(default_factory=set)


Kind: TypeAlias = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""Content of a fat binary: architectures of its machine code, targets of its PTX, versions of the PTX language."""


class FatBinaries:
    """Reader of one library: feed it all bytes in order, then call `kinds`."""

    def __init__(self) -> None:
        self._at = 0
        self._carry = b""
        self._last = -1
        self._open: list[_Open] = []
        self._done: list[_Open] = []

    def feed(self, block: bytes) -> None:
        """The next bytes of the library."""
        data, base = self._carry + block, self._at - len(self._carry)
        self._at += len(block)
        self._start(data, base)
        self._go_on(data, base)
        self._carry = data[-_WINDOW:]

    def kinds(self) -> Counter[Kind]:
        """How many fat binaries there are of each kind."""
        found = (fat for fat in (*self._done, *self._open) if fat.sass or fat.ptx)
        return Counter((frozenset(fat.sass), frozenset(fat.ptx), frozenset(fat.language)) for fat in found)

    def _start(self, data: bytes, base: int) -> None:
        at = data.find(_MAGIC)
        while 0 <= at <= len(data) - _HEAD.size:
            _, version, head, size = _HEAD.unpack_from(data, at)
            start = base + at
            if version == 1 and head == _HEAD.size and 0 < size < 2**31 and start > self._last:
                self._last = start
                self._open.append(_Open(end=start + head + size, next=start + head))
            at = data.find(_MAGIC, at + 1)

    def _go_on(self, data: bytes, base: int) -> None:
        """Read the entries that begin in these bytes and are complete."""
        still = []
        for fat in self._open:
            while fat.next + _ENTRY.size <= fat.end:
                here = fat.next - base
                if here < 0 or here + min(_WINDOW // 2, fat.end - fat.next) > len(data):
                    still.append(fat)
                    break
                if not self._entry(fat, data, here):
                    fat.next = fat.end
            else:
                self._done.append(fat)
        self._open = still

    @staticmethod
    def _entry(fat: _Open, data: bytes, here: int) -> bool:
        """Record one entry and step over it; false if the bytes are not an entry."""
        kind, _, head, size, *_, architecture = _ENTRY.unpack_from(data, here)
        if not _ENTRY.size <= head <= _LARGEST_ENTRY_HEAD or not 0 < architecture < 2**11:
            return False
        if kind == _SASS:
            fat.sass.add(f"sm_{architecture}")
        elif kind == _PTX:
            (flags,) = struct.unpack_from("<Q", data, here + _FLAGS_AT)
            text = data[here + head : here + head + min(size, _TEXT)]
            text = unpacked_head(text) if flags & _PACKED else text
            target, language = _TARGET.search(text), _LANGUAGE.search(text)
            fat.ptx.add(target[1].decode() if target else f"compute_{architecture}")
            fat.language.update({language[1].decode()} if language else ())
        fat.next += head + size
        return True


def kernels(found: Counter[Kind]) -> tuple[Kernels, ...]:
    """The kinds of kernels in the libraries of a wheel, those with most fat binaries first.

    If some fat binaries have machine code, those without are omitted: they are input for the device linker (relocatable
    code of NCCL), and the library also holds the image linked from them. Kinds with fewer than 1 % of all fat binaries
    are omitted too: this drops the linked image of NCCL, which is used only with several GPUs.
    """
    linked = any(sass for sass, _, _ in found)
    total = sum(found.values())
    merged: Counter[tuple[tuple[Architecture, ...], tuple[Architecture, ...], Version | None]] = Counter()
    for (sass, ptx, language), count in found.items():
        if (sass or not linked) and count * 100 >= total:
            newest = max(map(Version, language), default=None)
            merged[
                tuple(sorted(map(Architecture.parse, sass))), tuple(sorted(map(Architecture.parse, ptx))), newest
            ] += count
    ordered = sorted(merged.items(), key=lambda item: (-item[1], item[0][0]))
    return tuple(Kernels(count=count, sass=sass, ptx=ptx, isa=isa) for (sass, ptx, isa), count in ordered)


def unpacked_head(block: bytes, wanted: int = 400) -> bytes:
    """The first bytes of an LZ4 block (LZ4 block format description, "Compressed block format")."""
    out, at = bytearray(), 0
    try:
        while len(out) < wanted:
            token = block[at]
            literals, at = _length(block, at + 1, token >> 4)
            out += block[at : at + literals]
            at += literals
            back = block[at] | block[at + 1] << 8
            repeated, at = _length(block, at + 2, token & 15)
            if not 0 < back <= len(out):
                break
            for _ in range(repeated + 4):
                out.append(out[-back])
    except IndexError:
        pass
    return bytes(out[:wanted])


def _length(block: bytes, at: int, start: int) -> tuple[int, int]:
    """A length, which continues in further bytes if it starts with 15, and the offset after it."""
    if start == 15:
        while True:
            start += block[at]
            at += 1
            if block[at - 1] != 255:
                break
    return start, at
