"""Versions of glibc and libstdc++ that a shared library requires, read from a stream of its bytes.

Source: Linux Standard Base 5.0, "Symbol Versioning"; System V ABI, chapter 4, "Section Header". The names of required
versions (`GLIBC_2.17`) are strings of the table that the section of type `SHT_GNU_verneed` links to. Section headers
are at the end of a library, so every name is recorded with its offset, and names outside that table are dropped later.
"""

from __future__ import annotations

import re
import struct

from packaging.version import Version

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_VERNEED = 0x6FFFFFFE
_START = b"\0GLIBC"
_NAME = re.compile(rb"\0(GLIBC|GLIBCXX)_(\d{1,3}(?:\.\d{1,3}){1,3})\0")
_LONGEST = 40


class VersionNeeds:
    """Reader of one library: feed it all bytes in order, then call `newest`."""

    def __init__(self) -> None:
        self._at = 0
        self._carry = b""
        self._head = b""
        self._sections = b""
        self._names: list[tuple[int, str, Version]] = []

    def feed(self, block: bytes) -> None:
        """The next bytes of the library."""
        if len(self._head) < _HEADER.size:
            self._head = (self._head + block)[: _HEADER.size]
        self._find(self._carry + block, self._at - len(self._carry))
        self._carry = (self._carry + block)[-_LONGEST:]
        if len(self._head) == _HEADER.size:
            start = _HEADER.unpack(self._head)[6]
            if self._at + len(block) > start:
                self._sections += block[max(0, start - self._at) :]
        self._at += len(block)

    def newest(self) -> dict[str, Version]:
        """The newest required version by the name of its family (`GLIBC`, `GLIBCXX`); empty if none is required.

        Raises:
            ValueError: the file is not a 64-bit little-endian ELF file with section headers, or is damaged.
        """
        if not self._head.startswith(b"\x7fELF\x02\x01") or len(self._head) < _HEADER.size:
            raise ValueError("it is not a 64-bit little-endian ELF file")
        head = _HEADER.unpack(self._head)
        size, count = head[11], head[12]
        if not count or size != _SECTION.size or len(self._sections) < size * count:
            raise ValueError("it has no section headers")
        sections = [_SECTION.unpack_from(self._sections, at * size) for at in range(count)]
        tables = [sections[section[6]] for section in sections if section[1] == _VERNEED and section[6] < count]
        found: dict[str, Version] = {}
        for at, family, version in self._names:
            if any(table[4] <= at < table[4] + table[5] for table in tables):
                found[family] = max(version, found.get(family, version))
        return found

    def _find(self, data: bytes, base: int) -> None:
        at = data.find(_START)
        while at >= 0:
            if (match := _NAME.match(data, at)) is not None:
                place = base + at + 1
                if not self._names or self._names[-1][0] < place:
                    self._names.append((place, match[1].decode(), Version(match[2].decode())))
            at = data.find(_START, at + 1)
