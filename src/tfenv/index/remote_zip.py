"""Single files in a remote ZIP archive, read by byte ranges.

Layout: PKWARE APPNOTE 6.3.10 (end of central directory 4.3.16, ZIP64 4.3.14 and 4.3.15, central directory 4.3.12,
local header 4.3.7). The `.dist-info` of a wheel comes last, so the tail of the archive usually contains what is needed.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from zipfile import BadZipFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fetch: TypeAlias = Callable[[int, int], Awaitable[bytes]]
"""Returns the bytes from `start` up to, but not including, `stop`."""

MEMBER_LIMIT = 64 * 2**20
"""Largest unpacked size of a member in bytes, unless the caller sets another limit."""

_DIRECTORY_LIMIT = 64 * 2**20
_SMALL_TAIL, _LARGE_TAIL, _LARGE_FILE = 32 * 2**10, 256 * 2**10, 64 * 2**20
_BEFORE_DIRECTORY = 64 * 2**10
_GAP = 64 * 2**10
_BLOCK = 8 * 2**20

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """An entry of the central directory: sizes in bytes, and the offset of the local header."""

    name: str
    offset: int
    compressed: int
    size: int
    method: int
    crc: int
    encrypted: bool


class RemoteZip:
    """An archive of which only the directory and the requested members are transferred.

    Attributes:
        bytes_read: number of bytes transferred so far.
        requests: number of ranges requested so far.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        self.bytes_read = 0
        self.requests = 0
        self._fetch = fetch
        self._size = size
        self._held: list[tuple[int, bytes]] = []
        self._members: dict[str, ZipMember] = {}
        self._edges: list[int] = []

    @classmethod
    async def open(cls, fetch: Fetch, size: int) -> RemoteZip:
        """Read the directory of an archive of `size` bytes: one request for most wheels, two for very large ones.

        Raises:
            BadZipFile: the file is not a ZIP archive, or its directory is too large.
        """
        archive = cls(fetch, size)
        await archive._open()
        return archive

    def names(self) -> tuple[str, ...]:
        """The names of all members, in the order of the directory."""
        return tuple(self._members)

    def member(self, name: str) -> ZipMember:
        """The entry of a member.

        Raises:
            KeyError: there is no member of that name.
        """
        return self._members[name]

    async def read(self, name: str, *, limit: int = MEMBER_LIMIT) -> bytes:
        """The unpacked bytes of one member, with its CRC checked.

        Raises:
            KeyError: there is no member of that name.
            BadZipFile: the member is damaged, encrypted, compressed other than with deflate, or larger than `limit`
                bytes.
        """
        return (await self.read_many((name,), limit=limit))[name]

    async def read_many(self, names: Iterable[str], *, limit: int = MEMBER_LIMIT) -> dict[str, bytes]:
        """Several members; those that are close together are requested together. Errors as in `read`."""
        members = [self._members[name] for name in names]
        for member in members:
            if max(member.size, member.compressed) > limit:
                raise BadZipFile(f"`{member.name}` is larger than the {limit} bytes allowed")
        await self._load([self._span(member) for member in members])
        return {member.name: self._unpack(member) for member in members}

    async def stream(self, name: str, *, block: int = _BLOCK) -> AsyncIterator[bytes]:
        """The unpacked bytes of one member of any size, in pieces; the next range is transferred meanwhile.

        Args:
            name: name of the member.
            block: compressed bytes of one range, which must have room for the local header.

        Raises:
            KeyError: there is no member of that name.
            BadZipFile: the member is damaged, encrypted, or compressed other than with deflate, perhaps noticed only
                after some pieces.
        """
        member = self._members[name]
        start, stop = self._span(member)
        head = await self._range(start, min(stop, start + block))
        begin = self._data_at(member, head)
        left, crc, size = member.compressed, 0, 0
        inflate = zlib.decompressobj(-15) if member.method == 8 else None
        packed, at = head[begin : begin + left], start + len(head)
        while left:
            left -= len(packed)
            ahead = asyncio.ensure_future(self._range(at, min(stop, at + min(left, block)))) if left else None
            try:
                data = packed if inflate is None else inflate.decompress(packed)
                crc, size = zlib.crc32(data, crc), size + len(data)
                if size > member.size:
                    raise BadZipFile(f"`{name}` is larger than its directory records")
                yield data
                packed = await ahead if ahead is not None else b""
            except zlib.error as error:
                raise BadZipFile(f"`{name}` cannot be unpacked: {error}") from None
            finally:
                if ahead is not None:
                    ahead.cancel()
            at += len(packed)
        if size != member.size or crc != member.crc:
            raise BadZipFile(f"`{name}` does not match its checksum")

    async def _range(self, start: int, stop: int) -> bytes:
        """Bytes of the archive, transferred but not kept."""
        data = await self._fetch(start, stop)
        self.requests += 1
        self.bytes_read += len(data)
        if len(data) != stop - start or not data:
            raise BadZipFile(f"asked for {stop - start} bytes at {start}, got {len(data)}")
        return data

    async def _open(self) -> None:
        if self._size < _END.size:
            raise BadZipFile("it has no end-of-directory record")
        tail = min(self._size, _LARGE_TAIL if self._size >= _LARGE_FILE else _SMALL_TAIL)
        await self._load([(self._size - tail, self._size)])
        at, count, length, offset = await self._end(self._size - tail)
        if length > _DIRECTORY_LIMIT or count * _ENTRY.size > length:
            raise BadZipFile(f"the directory claims {count} entries in {length} bytes")
        start = at - length
        if start < 0 or offset > start:
            raise BadZipFile("the directory is outside of the archive")
        if start < self._size - tail:  # the `.dist-info` is often just before the directory: request a little more
            await self._load([(max(0, start - _BEFORE_DIRECTORY), self._size - tail)])
        self._parse(self._slice(start, at), count, bias=start - offset)
        self._edges = sorted({*(member.offset for member in self._members.values()), start})

    async def _end(self, tail_start: int) -> tuple[int, int, int, int]:
        """The end of the directory, and its number of entries, length and offset as recorded."""
        tail = self._slice(tail_start, self._size)
        position = tail.rfind(b"PK\x05\x06")
        if position < 0 or position + _END.size > len(tail):
            await self._load([(max(0, self._size - _END.size - 0xFFFF), tail_start)])  # a long comment
            tail_start = max(0, min(tail_start, self._size - _END.size - 0xFFFF))
            tail = self._slice(tail_start, self._size)
            position = tail.rfind(b"PK\x05\x06")
        if position < 0 or position + _END.size > len(tail):
            raise BadZipFile("it has no end-of-directory record")
        _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, position)
        at = tail_start + position
        if position >= _LOCATOR.size and tail.startswith(b"PK\x06\x07", position - _LOCATOR.size):
            where = _LOCATOR.unpack_from(tail, position - _LOCATOR.size)[2]
            if where + _END64.size > self._size:
                raise BadZipFile("its ZIP64 record is outside of the archive")
            await self._load([(where, where + _END64.size)])
            record = _END64.unpack(self._slice(where, where + _END64.size))
            if record[0] != b"PK\x06\x06":
                raise BadZipFile("its ZIP64 record is damaged")
            return where, record[7], record[8], record[9]
        return at, count, length, offset

    def _parse(self, directory: bytes, count: int, *, bias: int) -> None:
        at = 0
        for _ in range(count):
            if at + _ENTRY.size > len(directory):
                raise BadZipFile("the directory is shorter than recorded")
            entry = _ENTRY.unpack_from(directory, at)
            if entry[0] != b"PK\x01\x02":
                raise BadZipFile("an entry of the directory is damaged")
            flags, method, crc, compressed, size = entry[3], entry[4], entry[7], entry[8], entry[9]
            name_length, extra_length, comment_length, offset = entry[10], entry[11], entry[12], entry[16]
            at += _ENTRY.size
            raw = directory[at : at + name_length]
            at += name_length
            if 0xFFFFFFFF in (compressed, size, offset):
                size, compressed, offset = _zip64(directory[at : at + extra_length], size, compressed, offset)
            at += extra_length + comment_length
            name = raw.decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
            self._members[name] = ZipMember(
                name=name,
                offset=offset + bias,
                compressed=compressed,
                size=size,
                method=method,
                crc=crc,
                encrypted=bool(flags & 0x1),
            )

    def _span(self, member: ZipMember) -> tuple[int, int]:
        """The range from the local header to the next entry of the archive, at most as long as the member can be."""
        following = bisect_right(self._edges, member.offset)
        if following == len(self._edges) or member.offset < 0:
            raise BadZipFile(f"`{member.name}` is outside of the archive")
        most = member.offset + _LOCAL.size + 2 * 0xFFFF + member.compressed
        return member.offset, min(self._edges[following], most)

    async def _load(self, spans: Sequence[tuple[int, int]]) -> None:
        """Load these ranges; overlapping and near ones are merged, the others are requested concurrently."""
        missing: list[tuple[int, int]] = []
        for start, stop in sorted(spans):
            if start >= stop or self._find(start, stop) is not None:
                continue
            if missing and start - missing[-1][1] <= _GAP:
                missing[-1] = (missing[-1][0], max(stop, missing[-1][1]))
            else:
                missing.append((start, stop))
        for (start, _), data in zip(
            missing, await asyncio.gather(*(self._range(start, stop) for start, stop in missing)), strict=True
        ):
            self._hold(start, data)

    def _hold(self, start: int, data: bytes) -> None:
        """Keep a piece; one that adjoins the first piece (the tail) is joined to it."""
        if self._held and start + len(data) == self._held[0][0]:
            self._held[0] = (start, data + self._held[0][1])
        else:
            self._held.append((start, data))

    def _find(self, start: int, stop: int) -> tuple[int, bytes] | None:
        return next((h for h in self._held if h[0] <= start and stop <= h[0] + len(h[1])), None)

    def _slice(self, start: int, stop: int) -> bytes:
        held = self._find(start, stop)
        if held is None:
            raise BadZipFile("its records contradict each other")
        return held[1][start - held[0] : stop - held[0]]

    def _data_at(self, member: ZipMember, block: bytes) -> int:
        """The offset of the compressed bytes of a member from its local header."""
        if len(block) < _LOCAL.size or not block.startswith(b"PK\x03\x04"):
            raise BadZipFile(f"`{member.name}` has no local header")
        if member.encrypted or member.method not in (0, 8):
            raise BadZipFile(f"`{member.name}` is encrypted or compressed in an unknown way")
        *_, name_length, extra_length = _LOCAL.unpack_from(block)
        return int(_LOCAL.size + name_length + extra_length)

    def _unpack(self, member: ZipMember) -> bytes:
        start, stop = self._span(member)
        block = self._slice(start, stop)
        begin = self._data_at(member, block)
        packed = block[begin : begin + member.compressed]
        if len(packed) != member.compressed:
            raise BadZipFile(f"`{member.name}` is damaged: shorter than its directory records")
        data = packed
        if member.method == 8:
            try:
                data = zlib.decompressobj(-15).decompress(packed, member.size + 1)
            except zlib.error as error:
                raise BadZipFile(f"`{member.name}` cannot be unpacked: {error}") from None
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise BadZipFile(f"`{member.name}` does not match its checksum")
        return data


def _zip64(extra: bytes, size: int, compressed: int, offset: int) -> tuple[int, int, int]:
    """Size, compressed size and offset, with fields that need more than 32 bits taken from the ZIP64 field (id 1)."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = [value for (value,) in struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])]
            fields = [size, compressed, offset]
            for index, field in enumerate(fields):
                if field == 0xFFFFFFFF and wide:
                    fields[index] = wide.pop(0)
            return fields[0], fields[1], fields[2]
        at += 4 + length
    return size, compressed, offset
