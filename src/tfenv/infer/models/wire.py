"""Encoded protocol buffers: the fields of a message, read without its schema.

Nothing is copied: a nested message is a view of the same bytes. Source of the encoding:
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Field: TypeAlias = "tuple[int, int | memoryview]"
"""Number of a field and its value: an integer, or the bytes of a text or nested message."""

_VARINT, _FIXED64, _BYTES, _START, _END, _FIXED32 = range(6)
_LONGEST: Final = 10


class Damaged(ValueError):
    """The bytes are not a valid file of their kind."""


def fields(data: memoryview) -> Iterator[Field]:
    """The fields of a message in their order.

    Raises:
        Damaged: the bytes are not a message, or are truncated.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise Damaged("a field has no number")
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif kind == _BYTES:
            size, at = _varint(data, at)
            if size > end - at:
                raise Damaged("it is truncated")
            yield number, data[at : at + size]
            at += size
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            if size > end - at:
                raise Damaged("it is truncated")
            yield number, int.from_bytes(data[at : at + size], "little")
            at += size
        elif kind not in (_START, _END):
            raise Damaged(f"a field has the unknown type {kind}")


def messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """The nested messages in the fields with this number."""
    for each, value in fields(data):
        if each == number:
            if isinstance(value, int):
                raise Damaged(f"field {number} is not a message")
            yield value


def text(data: memoryview, number: int) -> str | None:
    """The text in the last field with this number; ``None`` if there is none."""
    found = None
    for value in messages(data, number):
        if len(value) > 2**16:
            raise Damaged(f"field {number} is too long for a text")
        found = bytes(value).decode("utf-8", "replace")
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST):
        if at >= len(data):
            raise Damaged("it is truncated")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at
    raise Damaged("a number is too long")
