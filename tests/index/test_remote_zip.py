"""Members of archives by ranges."""

from __future__ import annotations

import asyncio
import io
import random
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.index_server import zipped
from tfenv.index.remote_zip import RemoteZip

if TYPE_CHECKING:
    from collections.abc import Callable


def fetcher(data: bytes) -> Callable[[int, int], object]:
    async def fetch(start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(data)
        return data[start:stop]

    return fetch


def opened(data: bytes) -> RemoteZip:
    return asyncio.run(RemoteZip.open(fetcher(data), len(data)))  # type: ignore[arg-type]


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


def test_small_archives_take_one_request() -> None:
    """The tail of a small wheel holds all of it."""
    archive = opened(zipped({"a/b.py": b"x = 1\n" * 50, "a-1.dist-info/METADATA": b"Name: a\n"}))
    assert archive.names() == ("a/b.py", "a-1.dist-info/METADATA")
    assert asyncio.run(archive.read("a/b.py")) == b"x = 1\n" * 50
    assert archive.requests == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_only_what_is_wanted_is_transferred(method: int) -> None:
    """Of a large archive only the tail and the member travel, and neighbours travel together."""
    members = {f"m{i}": noise(40_000) for i in range(40)} | {"far": b"far away"}
    data = zipped({"first": noise(300_000), **members}, method=method)
    archive = opened(data)
    assert asyncio.run(archive.read_many(["m0", "m1"])) == {"m0": members["m0"], "m1": members["m1"]}
    assert archive.requests == 2
    assert archive.bytes_read < 150_000
    assert asyncio.run(archive.read("far")) == b"far away"
    assert archive.requests == 2


def test_directory_larger_than_the_tail() -> None:
    """A directory that the first request does not cover is completed by a second."""
    members = {f"{i:05}-{'n' * 100}": b"" for i in range(2000)} | {"x-1.dist-info/METADATA": b"Name: x\n"}
    archive = opened(zipped({"big": noise(200_000), **members}))
    assert len(archive.names()) == 2002
    assert archive.requests == 2
    assert asyncio.run(archive.read("x-1.dist-info/METADATA")) == b"Name: x\n"


def test_long_comment() -> None:
    """The end record is found before a comment of the greatest length."""
    buffer = io.BytesIO(zipped({"a": noise(100_000)}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"c" * 0xFFFF
    assert asyncio.run(opened(buffer.getvalue()).read("a")) == noise(100_000)


def test_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives whose fields do not fit into 32 bits are read through the ZIP64 records."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in "abcd":
            archive.writestr(name, noise(500))
    archive_ = opened(buffer.getvalue())
    assert archive_.names() == ("a", "b", "c", "d")
    assert asyncio.run(archive_.read("d")) == noise(500)


def test_something_before_the_archive() -> None:
    """Offsets are counted from the first local header, as Python's own reader does."""
    assert asyncio.run(opened(b"#!/bin/sh\n" + zipped({"a": b"1"})).read("a")) == b"1"


def test_unknown_member() -> None:
    """A name that is not in the directory is a KeyError."""
    with pytest.raises(KeyError):
        asyncio.run(opened(zipped({"a": b"1"})).read("b"))


def test_a_limit_keeps_bombs_out() -> None:
    """A member that would unpack to more than allowed is refused before it is fetched."""
    archive = opened(zipped({"bomb": bytes(2_000_000)}))
    with pytest.raises(zipfile.BadZipFile, match="larger than the 1000"):
        asyncio.run(archive.read("bomb", limit=1000))


def test_a_member_that_lies_about_its_size() -> None:
    """More data than the directory says is not unpacked beyond that."""
    data = bytearray(zipped({"a": bytes(100_000)}))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, 10)
    with pytest.raises(zipfile.BadZipFile, match="checksum"):
        asyncio.run(opened(bytes(data)).read("a"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda d: b"", "no end-of-directory"),
        (lambda d: d[: len(d) // 2], "no end-of-directory"),
        (lambda d: d.replace(b"PK\x01\x02", b"PK\x09\x09", 1), "entry"),
        (lambda d: _patched(d, b"PK\x05\x06", 10, "<H", 60000), "claims"),
        (lambda d: _patched(d, b"PK\x05\x06", 12, "<L", 60000), "outside"),
        (lambda d: _patched(d, b"PK\x05\x06", 16, "<L", 60000), "outside"),
        (lambda d: _patched(d, b"PK\x05\x06", 10, "<H", 2), "shorter|claims"),
        (lambda d: d[:-22] + b"PK\x06\x07" + struct.pack("<LQL", 0, 2**40, 1) + d[-22:], "ZIP64"),
        (lambda d: d[:-22] + b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1) + d[-22:], "ZIP64"),
    ],
)
def test_damaged_archives(harm: Callable[[bytes], bytes], words: str) -> None:
    """Whatever is wrong with an archive, it is a BadZipFile that says what."""
    with pytest.raises(zipfile.BadZipFile, match=words):
        opened(harm(zipped({"a": b"1" * 100})))


@pytest.mark.parametrize(
    ("signature", "offset", "layout", "value", "words"),
    [
        (b"PK\x01\x02", 10, "<H", 12, "unknown way"),
        (b"PK\x01\x02", 8, "<H", 1, "encrypted"),
        (b"PK\x01\x02", 16, "<L", 7, "checksum"),
        (b"PK\x01\x02", 42, "<L", 50_000, "outside"),
        (b"PK\x03\x04", 0, "<L", 7, "local header"),
        (b"PK\x03\x04", 26, "<H", 60_000, "damaged"),
        (b"PK\x03\x04", 26, "<H", 0, "unpacked|checksum"),
    ],
)
def test_damaged_members(signature: bytes, offset: int, layout: str, value: int, words: str) -> None:
    """A member that is not what the directory says is refused."""
    data = zipped({"a": noise(30) * 20})
    with pytest.raises(zipfile.BadZipFile, match=words):
        asyncio.run(opened(_patched(data, signature, offset, layout, value)).read("a"))


def test_a_server_that_gives_less() -> None:
    """Fewer bytes than asked for are not an archive."""

    async def fetch(start: int, stop: int) -> bytes:
        return bytes(stop - start - 1)

    with pytest.raises(zipfile.BadZipFile, match="asked for"):
        asyncio.run(RemoteZip.open(fetch, 5000))


def streamed(data: bytes, name: str, block: int = 1000) -> bytes:
    """A member as its pieces give it."""

    async def whole() -> bytes:
        archive = await RemoteZip.open(fetcher(data), len(data))  # type: ignore[arg-type]
        return b"".join([piece async for piece in archive.stream(name, block=block)])

    return asyncio.run(whole())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("block", [100, 1000, 2**20])
def test_a_member_in_pieces(method: int, block: int) -> None:
    """Whatever the size of the ranges, the pieces are the member; its neighbours stay out of it."""
    members = {"before": noise(3000), "wanted": noise(2500) + bytes(5000), "empty": b"", "after": noise(3000)}
    data = zipped(members, method=method)
    for name, content in members.items():
        assert streamed(data, name, block) == content


@pytest.mark.parametrize(
    ("signature", "offset", "layout", "value", "words"),
    [
        (b"PK\x01\x02", 10, "<H", 12, "unknown way"),
        (b"PK\x01\x02", 16, "<L", 7, "checksum"),
        (b"PK\x01\x02", 24, "<L", 10, "larger"),
        (b"PK\x03\x04", 0, "<L", 7, "local header"),
        (b"PK\x03\x04", 26, "<H", 0, "unpacked|checksum"),
    ],
)
def test_damage_is_seen_in_pieces_too(signature: bytes, offset: int, layout: str, value: int, words: str) -> None:
    """A member that is not what the directory says ends in an error."""
    data = zipped({"a": noise(30) * 20})
    with pytest.raises(zipfile.BadZipFile, match=words):
        streamed(_patched(data, signature, offset, layout, value), "a")


def _patched(data: bytes, signature: bytes, offset: int, layout: str, value: int) -> bytes:
    patched = bytearray(data)
    struct.pack_into(layout, patched, patched.rindex(signature) + offset, value)
    return bytes(patched)
