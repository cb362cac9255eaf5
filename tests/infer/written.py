"""Files written by hand, byte by byte: protocol buffers, FlatBuffers."""

from __future__ import annotations

import struct


def varint(number: int) -> bytes:
    """A number as protocol buffers have it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes | str | int) -> bytes:
    """A field: a number, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(op: str, *attributes: str) -> bytes:
    """A NodeDef."""
    held = b"".join(field(5, field(1, name) + field(2, b"")) for name in attributes)
    return field(1, "name") + field(2, op) + held


def graph(*nodes: bytes, functions: bytes = b"") -> bytes:
    """A GraphDef."""
    return b"".join(field(1, one) for one in nodes) + (field(2, functions) if functions else b"")


def function(name: str, *nodes: bytes) -> bytes:
    """A FunctionDefLibrary of one function."""
    return field(1, field(1, field(1, name)) + b"".join(field(3, one) for one in nodes))


def saved_model(version: str, held: bytes, keras: bool = False) -> bytes:
    """A SavedModel of one graph."""
    kinds = field(7, field(1, field(4, field(1, "_tf_keras_model")))) if keras else b""
    return field(1, 1) + field(2, field(1, field(5, version)) + field(2, held) + kinds)


def lite(floor: str | None) -> bytes:
    """A TensorFlow Lite model, with or without `min_runtime_version`.

    Root table at 32 with fields 4 (buffers) and 6 (metadata); all tables share layouts that stand before them.
    """
    text = (floor or "").encode()
    at: dict[str, int] = {}
    parts: list[tuple[int, bytes]] = []
    place = 8

    def put(name: str, data: bytes) -> int:
        nonlocal place
        place += -place % 4
        at[name] = place
        parts.append((place, data))
        place += len(data)
        return at[name]

    wide = put("wide", struct.pack("<9H", 18, 12, 0, 0, 0, 0, 4, 0, 8 if floor is not None else 0))
    narrow = put("narrow", struct.pack("<4H", 8, 12, 4, 8))
    root = put("root", struct.pack("<iII", 0, 0, 0))
    buffers = put("buffers", struct.pack("<II", 1, 0))
    buffer = put("buffer", struct.pack("<iI", 0, 0) + b"\0" * 4)
    data = put("data", struct.pack("<I", len(text)) + text)
    metadata = put("metadata", struct.pack("<II", 1, 0))
    entry = put("entry", struct.pack("<iII", 0, 0, 0))
    name = put("name", struct.pack("<I", 19) + b"min_runtime_version")
    out = bytearray(place)
    for where, content in parts:
        out[where : where + len(content)] = content
    struct.pack_into("<I4s", out, 0, root, b"TFL3")
    struct.pack_into("<iII", out, root, root - wide, buffers - (root + 4), metadata - (root + 8))
    struct.pack_into("<I", out, buffers + 4, buffer - (buffers + 4))
    struct.pack_into("<iI", out, buffer, buffer - narrow, data - (buffer + 4))
    struct.pack_into("<I", out, metadata + 4, entry - (metadata + 4))
    struct.pack_into("<iII", out, entry, entry - narrow, name - (entry + 4), 0)
    return bytes(out)
