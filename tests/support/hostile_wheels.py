"""Wheels that no installer should unpack, by what is wrong with them."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import warnings
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FILENAME = "evil-1.0-py3-none-any.whl"
INFO = "evil-1.0.dist-info"
MODULE = b"x = 1\n" * 200
METADATA = b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"


def wheel(
    members: Iterable[tuple[str | zipfile.ZipInfo, bytes]] = (),
    *,
    record: str | None = None,
    info: Iterable[tuple[str, bytes]] = (),
) -> bytes:
    """A wheel with a module and these members; `record` replaces its RECORD."""
    tags = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    items: list[tuple[str | zipfile.ZipInfo, bytes]] = [("evil/__init__.py", MODULE), *members]
    items += [
        (f"{INFO}/METADATA", METADATA),
        (f"{INFO}/WHEEL", tags),
        *((f"{INFO}/{name}", data) for name, data in info),
    ]
    rows = [
        f'"{path.filename if isinstance(path, zipfile.ZipInfo) else path}",sha256={_digest(data)},{len(data)}\n'
        for path, data in items
    ]
    items.append((f"{INFO}/RECORD", ("".join(rows) + f"{INFO}/RECORD,,\n" if record is None else record).encode()))
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that occur twice
        for path, data in items:
            archive.writestr(path, data)
    return out.getvalue()


def without(name: str) -> bytes:
    """The wheel without one of its files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel())) as old, zipfile.ZipFile(out, "w") as new:
        for path in old.namelist():
            if path != name:
                new.writestr(path, old.read(path))
    return out.getvalue()


def with_stream(change: Callable[[bytes], bytes]) -> bytes:
    """The wheel with another deflate stream for its module, whose entries tell its new length."""
    out = io.BytesIO()
    entries = []
    with zipfile.ZipFile(io.BytesIO(wheel())) as archive:
        for path in archive.namelist():
            data = archive.read(path)
            raw = deflated(data)
            if path == "evil/__init__.py":
                raw = change(raw)
            name = path.encode()
            head = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0x5821, zlib.crc32(data), len(raw), len(data), len(name), 0)
            entries.append((out.tell(), head, name))
            out.write(b"PK\3\4" + head + name + raw)
    start = out.tell()
    for offset, head, name in entries:
        out.write(b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHLL", 0, 0, 0, 0, offset) + name)
    out.write(b"PK\5\6" + struct.pack("<4H2LH", 0, 0, len(entries), len(entries), out.tell() - start, start, 0))
    return out.getvalue()


def deflated(data: bytes) -> bytes:
    """The deflate stream of these bytes."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def unfinished() -> bytes:
    """A deflate stream of the module without its last block."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(MODULE) + squeeze.flush(zlib.Z_SYNC_FLUSH)


def patched(offset: int, value: int) -> bytes:
    """The wheel with another byte in its first entry of the directory."""
    data = bytearray(wheel())
    data[data.index(b"PK\1\2") + offset] = value
    return bytes(data)


def renamed() -> bytes:
    """The wheel whose module has another name before its bytes than in the directory."""
    data = wheel()
    at = data.index(b"evil/__init__.py")
    return data[:at] + b"evil/__Init__.py" + data[at + 16 :]


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


FRAMES = {
    "traversal": lambda: wheel([("../../../outside", b"x")]),
    "traversal in data": lambda: wheel([("evil-1.0.data/data/../../../outside", b"x")]),
    "traversal in scripts": lambda: wheel([("evil-1.0.data/scripts/../../outside", b"#!python\n")]),
    "absolute": lambda: wheel([("/tmp/outside", b"x")]),
    "drive": lambda: wheel([("C:/outside", b"x")]),
    "backslash": lambda: wheel([("..\\..\\outside", b"x")]),
    "line break": lambda: wheel([("evil/a\nb.py", b"x")]),
    "escape sequence": lambda: wheel([("evil/\x1b[31m.py", b"x")]),
    "long name": lambda: wheel([("evil/" + "x" * 256, b"x")]),
    "long path": lambda: wheel([("evil/" + "d/" * 2500 + "f", b"x")]),
    "file and folder": lambda: wheel([("evil/p", b"1"), ("evil/p/q", b"2")]),
    "duplicate": lambda: wheel([("evil/dup.py", b"a = 1\n"), ("evil/dup.py", b"b = 22\n")]),
    "python": lambda: wheel([("evil-1.0.data/scripts/python", b"#!/bin/sh\n")]),
    "python3 in data": lambda: wheel([("evil-1.0.data/data/bin/python3.11", b"#!/bin/sh\n")]),
    "pyvenv.cfg": lambda: wheel([("evil-1.0.data/data/pyvenv.cfg", b"home = /x\n")]),
    "tfenv's loader": lambda: wheel([("_tfenv_loader.py", b"x")]),
    "other metadata": lambda: wheel([("numpy-2.1.0.dist-info/METADATA", METADATA)]),
    "no RECORD": lambda: without(f"{INFO}/RECORD"),
    "no WHEEL": lambda: without(f"{INFO}/WHEEL"),
    "RECORD names outside": lambda: wheel(record="../../../etc/passwd,sha256=x,3\n"),
    "RECORD has no columns": lambda: wheel(record='"\x00\n,,,,,\n"unterminated'),
    "script outside": lambda: wheel(info=[("entry_points.txt", b"[console_scripts]\n../../x = evil:main\n")]),
    "script named python": lambda: wheel(info=[("entry_points.txt", b"[console_scripts]\npython3 = evil:main\n")]),
    "script with a statement": lambda: wheel(
        info=[("entry_points.txt", b"[console_scripts]\nok = evil:main;import os\n")]
    ),
    "bytes behind": lambda: wheel() + b"trailing" * 9,
    "bytes before": lambda: b"#!/bin/sh\nexit\n" + wheel(),
    "two names": renamed,
    "encrypted": lambda: patched(8, 1),
    "version 9.9": lambda: patched(6, 99),
    "no archive": lambda: b"garbage" * 100,
    "empty": lambda: b"",
}
"""wheels that are refused by their frame alone"""
STREAMS = {
    "bytes behind a stream": lambda: with_stream(lambda raw: raw + b"GARBAGE!" * 4),
    "a stream without an end": lambda: with_stream(lambda raw: unfinished()),
    "a second gzip member": lambda: with_stream(
        lambda raw: raw + struct.pack("<LL", zlib.crc32(MODULE), len(MODULE)) + b"\x1f\x8b\x08" + bytes(7)
    ),
    "other contents": lambda: with_stream(lambda raw: deflated(MODULE[:-1] + b"!")),
}
"""wheels that are refused once a file of them is unpacked"""
