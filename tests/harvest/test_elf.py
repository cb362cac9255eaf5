"""What libraries ask of glibc and libstdc++: of one compiled here, and of wheels read by hand."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.harvest.elf import VersionNeeds

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
#include <string.h>
__asm__(".symver memcpy, memcpy@GLIBC_2.14");
const char *lie = "\\0GLIBC_9.99\\0";
void copy(char *to, const char *from, unsigned long size) { memcpy(to, from, size); }
"""


def needs_of(data: bytes, block: int) -> dict[str, Version]:
    """What a library asks for, read in blocks of some size."""
    needs = VersionNeeds()
    for at in range(0, len(data), block):
        needs.feed(data[at : at + block])
    return needs.newest()


def compiled(folder: Path, source: str) -> bytes:
    """A shared library of some C."""
    compiler = shutil.which("cc")
    assert compiler is not None
    (folder / "a.c").write_text(source, encoding="utf-8")
    options = ("-shared", "-fPIC", "-O0", "-fno-builtin", "-o")
    subprocess.run([compiler, *options, str(folder / "a.so"), str(folder / "a.c")], check=True)
    return (folder / "a.so").read_bytes()


@pytest.fixture(name="library", scope="module")
def _library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("elf"), SOURCE)


@pytest.mark.parametrize("block", [7, 1000, 10_000_000])
def test_newest_version(library: bytes, block: int) -> None:
    """The newest required version is found whatever the blocks; a string that only looks like one does not count."""
    assert b"GLIBC_9.99" in library
    assert needs_of(library, block) == {"GLIBC": Version("2.14")}


def test_what_cannot_be_read(library: bytes) -> None:
    """Something else than an ELF file, and one that is cut off, are errors."""
    for cut in (b"", b"no library", library[:100], library[:-500]):
        with pytest.raises(ValueError, match=r"not a 64-bit|no section headers"):
            needs_of(cut, 64)
