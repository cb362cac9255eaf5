"""The attributes of the root group of an HDF5 file: all metadata of a Keras model is there.

The readers on PyPI require NumPy and trust the file. This one reads superblocks 0 to 3, object headers 1 and 2, and
texts of fixed and variable length (what h5py writes for Keras), and never more than a few megabytes.
Source: "HDF5 File Format Specification Version 3.0",
https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, sections named at each step.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from tfenv.infer.models.wire import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_BLOCKS: Final = 64
_MESSAGES: Final = 4096
_LONGEST: Final = 64 * 2**20
_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10
_STRING, _VARIABLE = 3, 9
_HEAD_1, _HEAD_2 = struct.Struct("<HH"), struct.Struct("<BH")
"""type and length of a message"""


def attributes(data: memoryview, wanted: frozenset[str]) -> dict[str, str | None]:
    """The attributes of the root group by name, with the text of those wanted; ``None`` for all others.

    Raises:
        Damaged: the bytes are not an HDF5 file, are truncated, or are of a version that is not supported.
    """
    if bytes(data[:8]) != SIGNATURE:
        raise Damaged("it is not an HDF5 file")
    try:
        found: dict[str, str | None] = {}
        for message in _messages(data, _root(data)):
            name, value = _attribute(data, message, wanted)
            found[name] = value
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise Damaged(f"it is truncated or damaged: {error}") from None
    return found


def _root(data: memoryview) -> int:
    """Offset of the header of the root group (II.A, superblock)."""
    version = data[8]
    if version in (0, 1):
        if (data[13], data[14]) != (8, 8):
            raise Damaged("its offsets do not have 8 bytes")
        at = 24 + (4 if version == 1 else 0) + 4 * 8
        return _u64(data, at + 8)
    if version in (2, 3):
        if (data[9], data[10]) != (8, 8):
            raise Damaged("its offsets do not have 8 bytes")
        return _u64(data, 12 + 3 * 8)
    raise Damaged(f"its superblock has the unknown version {version}")


def _messages(data: memoryview, at: int) -> Iterator[memoryview]:
    """The attribute messages of an object header of version 1 (IV.A.1.a) or 2 (IV.A.1.b)."""
    if bytes(_cut(data, at, 4)) == b"OHDR":
        flags = data[at + 5]
        place = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        first = place + width, int.from_bytes(_cut(data, place, width), "little")
        layout, head = _HEAD_2, 6 if flags & 0x04 else 4
        before, around = 4, 8  # a continuation begins with its signature and ends with a checksum
    elif _cut(data, at, 1)[0] == 1:
        first = at + 16, _u32(data, at + 8)
        layout, head = _HEAD_1, 8
        before, around = 0, 0
    else:
        raise Damaged("the header of its root group has an unknown version")
    blocks, seen = [first], 0
    for number, (start, size) in enumerate(blocks):
        if number > _BLOCKS:
            raise Damaged("the header of its root group has no end")
        block, place = _cut(data, start, size), 0
        while place + head <= len(block):
            kind, length = layout.unpack_from(block, place)
            body = _cut(block, place + head, length)
            seen += 1
            if seen > _MESSAGES:
                raise Damaged("the header of its root group has no end")
            if kind == _ATTRIBUTE:
                yield body
            elif kind == _CONTINUATION:
                blocks.append((_u64(body, 0) + before, max(_u64(body, 8) - around, 0)))
            place += head + length


def _attribute(data: memoryview, body: memoryview, wanted: frozenset[str]) -> tuple[str, str | None]:
    """Name and text of an attribute message (IV.A.2.m)."""
    version = body[0]
    names, types, spaces = struct.unpack_from("<HHH", body, 2)
    at = 8 if version < 3 else 9
    if version not in (1, 2, 3):
        raise Damaged(f"an attribute has the unknown version {version}")
    padded = [(size + 7) // 8 * 8 if version == 1 else size for size in (names, types, spaces)]
    name = bytes(_cut(body, at, names)).split(b"\0")[0].decode("utf-8", "replace")
    kind = _cut(body, at + padded[0], types)
    value = body[at + sum(padded) :]
    if name not in wanted:
        return name, None
    what = kind[0] & 0x0F
    if what == _STRING:
        return name, _text(_cut(value, 0, _u32(kind, 4)))
    if what == _VARIABLE and kind[1] & 0x0F == 1:
        return name, _text(_heaped(data, value))
    return name, None


def _heaped(data: memoryview, value: memoryview) -> memoryview:
    """The bytes of a text of variable length, which are kept in a global heap (III.E)."""
    length, heap, index = struct.unpack_from("<IQI", value, 0)
    if bytes(_cut(data, heap, 4)) != b"GCOL":
        raise Damaged("a text is missing from its heap")
    end = heap + _u64(data, heap + 8)
    at = heap + 16
    while at + 16 <= min(end, len(data)):
        number, size = struct.unpack_from("<H", data, at)[0], _u64(data, at + 8)
        if number == index:
            return _cut(data, at + 16, min(length, size))
        if number == 0:
            break
        at += 16 + (size + 7) // 8 * 8
    raise Damaged("a text is missing from its heap")


def _text(value: memoryview) -> str:
    return bytes(value).split(b"\0")[0].decode("utf-8", "replace")


def _cut(data: memoryview, at: int, size: int) -> memoryview:
    if at < 0 or size < 0 or size > _LONGEST or at + size > len(data):
        raise Damaged("it is truncated")
    return data[at : at + size]


def _u32(data: memoryview, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _u64(data: memoryview, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])
