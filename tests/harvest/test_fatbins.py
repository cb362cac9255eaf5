"""Code for GPUs in libraries: fat binaries made here, fed in blocks of any size."""

from __future__ import annotations

import random
import struct

import pytest
from packaging.version import Version

from tests.support.locks import architectures
from tfenv.harvest.fatbins import FatBinaries, kernels, unpacked_head
from tfenv.harvest.xla import XlaTexts
from tfenv.model.builds import Kernels, Xla

NOISE = random.Random(7).randbytes(5000)
CHECK = b"PTX version {0}.{1} does not support target '{2}'. Minimum required PTX version is {3}.{4}. "


def machine_code(architecture: int, size: int = 300) -> bytes:
    """An entry with machine code."""
    return struct.pack("<HHIQIIHHI", 2, 0x101, 64, size, 0, 0, 0, 0, architecture) + bytes(32) + bytes(size)


def ptx(target: str, language: str, *, packed: bool = False) -> bytes:
    """An entry with PTX, as it is or as an LZ4 block; its header has the architecture without the letter."""
    text = f"//\n.version {language}\n.target {target}\n.address_size 64\n".encode() + b"x" * 40
    body = lz4(text) if packed else text
    head = struct.pack("<HHIQIIHHI", 1, 0x101, 64, len(body), 0, 0, 0, 0, int(target[3:].rstrip("af")))
    return head + bytes(8) + struct.pack("<Q", 0x2000 if packed else 0) + bytes(16) + body


def lz4(text: bytes) -> bytes:
    """A block of literals, with one repetition of its last byte at the end."""
    long = len(text) - 15
    lengths = bytes([255] * (long // 255) + [long % 255])
    return bytes([0xF0]) + lengths + text + struct.pack("<H", 1) + bytes([0x00])


def fat(*entries: bytes) -> bytes:
    """A fat binary."""
    body = b"".join(entries)
    return b"\x50\xed\x55\xba" + struct.pack("<HHQ", 1, 16, len(body)) + body


def read(data: bytes, block: int) -> tuple[Kernels, ...]:
    """The kinds of kernels in a library."""
    binaries = FatBinaries()
    for at in range(0, len(data), block):
        binaries.feed(data[at : at + block])
    return kernels(binaries.kinds())


@pytest.mark.parametrize("block", [1000, 16_384, 10_000_000])
@pytest.mark.parametrize("packed", [False, True])
def test_kinds_of_kernels(block: int, *, packed: bool) -> None:
    """The target in the PTX counts, not the one in the header; equal kernels are one kind, the most numerous first."""
    one = fat(machine_code(80), machine_code(89), ptx("sm_90a", "8.5", packed=packed))
    two = fat(machine_code(80, 9000), machine_code(90, 40_000), ptx("sm_90", "8.3", packed=packed))
    data = NOISE + (one + NOISE) * 3 + two + NOISE + two
    assert read(data, block) == (
        Kernels(count=3, sass=architectures("8.0", "8.9"), ptx=architectures("9.0a"), isa=Version("8.5")),
        Kernels(count=2, sass=architectures("8.0", "9.0"), ptx=architectures("9.0"), isa=Version("8.3")),
    )


def test_what_does_not_count() -> None:
    """Input of the device linker and a single image in hundreds are left out; a library of PTX alone is not."""
    usual, linked = fat(machine_code(80), ptx("sm_80", "7.1")), fat(machine_code(80))
    relocatable = fat(ptx("sm_80", "7.1"))
    (kind,) = read(usual * 150 + linked + relocatable * 50, 4096)
    assert (kind.count, kind.sass) == (150, architectures("8.0"))
    (kind,) = read(relocatable * 50, 4096)
    assert (kind.count, kind.sass, kind.ptx) == (50, (), architectures("8.0"))


def test_what_only_looks_like_one() -> None:
    """The magic number in other bytes, a header of another version, and entries that are none."""
    magic = b"\x50\xed\x55\xba"
    for data in (magic, magic + bytes(100), magic + struct.pack("<HHQ", 2, 16, 50) + bytes(50), NOISE):
        assert read(data, 64) == ()
    broken = magic + struct.pack("<HHQ", 1, 16, 200) + b"\xff" * 200
    assert read(broken, 64) == ()


def test_damaged_blocks() -> None:
    """A packed text that ends early or points nowhere gives what is there."""
    assert unpacked_head(lz4(b"a" * 20)) == b"a" * 24
    assert unpacked_head(lz4(b"a" * 20)[:10]) == b"a" * 8
    assert unpacked_head(b"\x10a\x09\x00") == b"a"
    assert unpacked_head(b"") == b""


def texts(data: bytes, block: int) -> Xla | None:
    """What XLA in a library can compile for."""
    found = XlaTexts()
    for at in range(0, len(data), block):
        found.feed(data[at : at + block])
    return found.xla()


@pytest.mark.parametrize("block", [50, 1_000_000])
def test_xla(block: int) -> None:
    """The newest PTX and the targets of LLVM, its check, and whether XLA asks LLVM what it can write."""
    names = b"\0ptx78\0ptx85\0" + NOISE + b"\0sm_90\0sm_90a\0sm_120\0xsm_130\0"
    plain = texts(names, block)
    assert plain == Xla(ptx=Version("8.5"), targets=architectures("9.0", "12.0"), checks=False, follows=False)
    checked = texts(names + CHECK, block)
    assert checked is not None
    assert (checked.checks, checked.follows) == (True, False)
    following = texts(names + CHECK + b"LLVM target %s does not define any PTX features", block)
    assert following is not None
    assert (following.checks, following.follows) == (True, True)
    assert texts(b"\0sm_90\0" + CHECK, block) is None
