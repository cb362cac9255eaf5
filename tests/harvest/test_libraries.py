"""Which wheels have their libraries read, and what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.harvest.recordings import file_of
from tests.harvest.test_elf import SOURCE, compiled
from tests.support.index_server import FakeIndex
from tfenv.errors import IndexUnavailable
from tfenv.facts.releases import ReleaseFacts, WheelFacts, dumps, loads
from tfenv.harvest.libraries import Symbols, due, symbols, with_known, with_symbols
from tfenv.index.client import Client
from tfenv.model.build import Build
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.package import File

OLD = "tensorflow-9.1.0-cp36-cp36m-manylinux1_x86_64.whl"
OTHER = "tensorflow-9.1.0-cp37-cp37m-manylinux2010_x86_64.whl"
MAC = "tensorflow-9.1.0-cp37-cp37m-macosx_10_11_x86_64.whl"


def row(**glibc: str) -> ReleaseFacts:
    """A release with three wheels; the build was read off the second."""
    wheels = [
        WheelFacts(
            filename=name, size=1, sha256=key, requires_dist=(), glibc=Version(glibc[key]) if key in glibc else None
        )
        for key, name in (("old", OLD), ("other", OTHER), ("mac", MAC))
    ]
    build = Build(platform=Platform.LINUX_X86_64, source=f"{OTHER} sha256:0")
    return ReleaseFacts(
        name=Name("tensorflow"), version=Version("9.1.0"), uploaded=None, wheels=tuple(wheels), builds=(build,)
    )


def names(row: ReleaseFacts, *, stands_for_minor: bool) -> list[str]:
    """The wheels that are due."""
    return [wheel.filename for wheel in due(row, stands_for_minor=stands_for_minor)]


def test_wheels_that_are_due() -> None:
    """Every manylinux1 wheel, and the one that stands for its minor release; none that was read before."""
    assert names(row(), stands_for_minor=False) == [OLD]
    assert names(row(), stands_for_minor=True) == [OLD, OTHER]
    assert names(row(old="2.17"), stands_for_minor=True) == [OTHER]
    assert names(row(old="2.17", other="2.12"), stands_for_minor=True) == []


def test_rows_get_what_was_read() -> None:
    """Symbols become columns of the wheel, and are there when the row is written and read back."""

    async def read(file: File) -> Symbols:
        assert file.filename == OLD
        return Symbols(glibc=Version("2.17"), glibcxx=Version("3.4.19"))

    before = row()
    after = asyncio.run(with_symbols(before, due(before, stands_for_minor=False), [file_of(OLD)], read))
    (again,) = loads(dumps([after]))
    wheel = again.wheel(OLD)
    assert wheel is not None
    assert (str(wheel.glibc), str(wheel.glibcxx), str(wheel.needs_glibc)) == ("2.17", "3.4.19", "2.17")
    assert [each.glibc for each in again.wheels if each.filename != OLD] == [None, None]
    assert with_known(before, after) == after
    assert with_known(before, None) == before


def test_symbols_of_a_published_wheel(tmp_path: Path) -> None:
    """The largest libraries are read by ranges; a small one beside them is not, and a broken one is an error."""
    library = compiled(tmp_path, SOURCE)
    newer = compiled(tmp_path, SOURCE.replace("GLIBC_2.14", "GLIBC_2.2.5"))
    with FakeIndex() as index:
        members = {f"a/{at}.so": newer + bytes(100 + at) for at in range(4)} | {"a/b.so.2": library}
        index.add_wheel("a", "1.0", members=members)
        index.add_wheel("a", "2.0", members={"a/b.so.2": library})
        index.add_wheel("a", "3.0", members={"a/b.so": b"no library" * 50})
        index.add_wheel("a", "4.0", members={"a/b.py": b""})

        def read(version: str) -> Symbols:
            async def look() -> Symbols:
                async with Client() as client:
                    name = f"a-{version}-py3-none-any.whl"
                    file = file_of(name, size=len(index.files[name].content))
                    return (await symbols(client, replace(file, url=f"http://{index.host}/files/{name}")))[0]

            return asyncio.run(look())

        assert str(read("2.0").glibc) == "2.14"
        assert str(read("1.0").glibc) == "2.2.5"
        assert read("4.0") == Symbols()
        with pytest.raises(IndexUnavailable, match="not a 64-bit"):
            read("3.0")
