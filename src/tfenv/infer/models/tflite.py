"""TensorFlow Lite models: a FlatBuffer that may record the lowest runtime that reads it.

Fields: tensorflow/lite/schema/schema.fbs of https://github.com/tensorflow/tensorflow; encoding:
https://flatbuffers.dev/internals/.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from tfenv.infer.models.artifact import Artifact
from tfenv.infer.models.wire import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTIFIER: Final = b"TFL3"
_BUFFERS, _METADATA = 4, 6
_NAME, _BUFFER, _DATA = 0, 1, 0
_MOST: Final = 10_000


def read(data: memoryview) -> Artifact:
    """Read a `.tflite` file.

    Raises:
        Damaged: the bytes are not such a model, or are truncated.
    """
    if bytes(data[4:8]) != IDENTIFIER:
        raise Damaged("it is not a TensorFlow Lite model")
    try:
        root = _u32(data, 0)
        floor = _floor(data, root)
    except (struct.error, IndexError) as error:
        raise Damaged(f"it is truncated or damaged: {error}") from None
    return Artifact(what="TensorFlow Lite model", floor=floor, symbols=("tf.lite.Interpreter",))


def _floor(data: memoryview, root: int) -> str | None:
    """`min_runtime_version` of the metadata; ``None`` if the converter did not record it."""
    for entry in _vector(data, root, _METADATA):
        name = _field(data, entry, _NAME)
        if name is None or _bytes(data, _follow(data, name)) != b"min_runtime_version":
            continue
        number = _field(data, entry, _BUFFER)
        buffers = list(_vector(data, root, _BUFFERS))
        index = 0 if number is None else _u32(data, number)
        if index >= len(buffers):
            raise Damaged("its metadata names a buffer that does not exist")
        content = _field(data, buffers[index], _DATA)
        if content is not None:
            return _bytes(data, _follow(data, content)).rstrip(b"\0").decode("ascii", "replace") or None
    return None


def _field(data: memoryview, table: int, number: int) -> int | None:
    """Offset of a field of a table; ``None`` if the field has its default value."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    if layout < 0:
        raise Damaged("it is damaged")
    size = struct.unpack_from("<H", data, layout)[0]
    place = 4 + 2 * number
    if place + 2 > size:
        return None
    offset = struct.unpack_from("<H", data, layout + place)[0]
    return table + offset if offset else None


def _vector(data: memoryview, table: int, number: int) -> Iterator[int]:
    """Offsets of the tables in a vector of tables."""
    field = _field(data, table, number)
    if field is None:
        return
    start = _follow(data, field)
    count = _u32(data, start)
    if count > _MOST or start + 4 + 4 * count > len(data):
        raise Damaged("it is truncated")
    for at in range(start + 4, start + 4 + 4 * count, 4):
        yield _follow(data, at)


def _bytes(data: memoryview, at: int) -> bytes:
    size = _u32(data, at)
    if size > 256 or at + 4 + size > len(data):
        raise Damaged("a text is too long")
    return bytes(data[at + 4 : at + 4 + size])


def _follow(data: memoryview, at: int) -> int:
    return at + _u32(data, at)


def _u32(data: memoryview, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])
