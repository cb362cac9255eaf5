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
from tests.support.locks import architectures
from tfenv.errors import IndexUnavailable
from tfenv.facts.releases import ReleaseFacts, WheelFacts, dumps, loads
from tfenv.harvest.libraries import Inside, due, inside, with_known, with_libraries
from tfenv.index.client import Client
from tfenv.model.builds import Build, Kernels, Xla
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.package import File

OLD = "tensorflow-9.1.0-cp36-cp36m-manylinux1_x86_64.whl"
OTHER = "tensorflow-9.1.0-cp37-cp37m-manylinux2010_x86_64.whl"
KERNELS = (Kernels(count=7, sass=architectures("8.0"), ptx=architectures("9.0a"), isa=Version("8.5")),)
XLA = Xla(ptx=Version("8.8"), targets=architectures("9.0", "12.0"), checks=True, follows=False)
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


def test_wheels_that_are_due() -> None:
    """Every manylinux1 wheel, and the one that stands for its minor release; none that was read before."""
    assert due(row(), newest_of_minor=False) == {OLD: False}
    assert due(row(), newest_of_minor=True) == {OLD: False, OTHER: False}
    assert due(row(old="2.17"), newest_of_minor=True) == {OTHER: False}
    assert due(row(old="2.17", other="2.12"), newest_of_minor=True) == {}


def test_builds_whose_code_is_due() -> None:
    """The wheel of a CUDA build, once, and not of releases before 2.10."""
    before = row(old="2.17", other="2.12")
    cuda = replace(before, builds=(replace(before.builds[0], cuda=Version("12.5")),))
    assert due(cuda, newest_of_minor=False) == {OTHER: True}
    assert due(replace(cuda, version=Version("2.9")), newest_of_minor=False) == {}
    assert due(replace(cuda, builds=(replace(cuda.builds[0], kernels=KERNELS),)), newest_of_minor=False) == {}


def test_rows_get_what_was_read() -> None:
    """Symbols become columns of the wheel and code those of the build; both are there when the row is read back."""

    async def read(file: File, *, code: bool) -> Inside:
        assert code == (file.filename == OTHER)
        return Inside(glibc=Version("2.17"), glibcxx=Version("3.4.19"), kernels=KERNELS, xla=XLA)

    before = row()
    wheels = {OLD: False, OTHER: True}
    after = asyncio.run(with_libraries(before, wheels, [file_of(OLD), file_of(OTHER)], read))
    (again,) = loads(dumps([after]))
    wheel = again.wheel(OLD)
    assert wheel is not None
    assert (str(wheel.glibc), str(wheel.glibcxx), str(wheel.needs_glibc)) == ("2.17", "3.4.19", "2.17")
    assert [each.glibc for each in again.wheels if each.filename == MAC] == [None]
    assert (again.builds[0].kernels, again.builds[0].xla) == (KERNELS, XLA)
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

        def read(version: str) -> Inside:
            async def look() -> Inside:
                async with Client() as client:
                    name = f"a-{version}-py3-none-any.whl"
                    file = file_of(name, size=len(index.files[name].content))
                    return (await inside(client, replace(file, url=f"http://{index.address}/files/{name}"), code=True))[
                        0
                    ]

            return asyncio.run(look())

        assert str(read("2.0").glibc) == "2.14"
        assert str(read("1.0").glibc) == "2.2.5"
        assert read("4.0") == Inside()
        with pytest.raises(IndexUnavailable, match="not a 64-bit"):
            read("3.0")
