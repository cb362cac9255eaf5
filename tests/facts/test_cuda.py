"""`cuda.toml`: what it says, and what its loader refuses."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.cuda import CudaTable, Toolkit
from tfenv.model.hardware import driver_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfenv.model.package import File

FILE = Path(__file__).parents[2] / "constraints" / "facts" / "cuda.toml"
CONTENTS: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "wheel_libraries.toml").read_text(encoding="utf-8")
)
WHEEL = re.compile(r"(\S+\.whl) sha256:([0-9a-f]{64})")


@pytest.fixture(scope="module", name="cuda")
def table() -> CudaTable:
    return CudaTable(FILE)


def toolkit(cuda: CudaTable, version: str) -> Toolkit:
    found = cuda.toolkit(Version(version))
    assert found is not None
    return found


def targets(toolkit: Toolkit) -> list[str]:
    return [str(target) for target in toolkit.targets]


def test_every_release_from_8_on(cuda: CudaTable) -> None:
    """All releases of the toolkit since 8.0 are there, oldest first (there never was a 12.7)."""
    assert [str(toolkit.version) for toolkit in cuda.all] == [
        *("8.0", "9.0", "9.1", "9.2", "10.0", "10.1", "10.2"),
        *("11.0", "11.1", "11.2", "11.3", "11.4", "11.5", "11.6", "11.7", "11.8"),
        *("12.0", "12.1", "12.2", "12.3", "12.4", "12.5", "12.6", "12.8", "12.9"),
        *("13.0", "13.1", "13.2", "13.3", "13.4", "13.5"),
    ]


@pytest.mark.parametrize("version", ["10", "12.7", "12.9.1", "14.0"])
def test_unknown_release(cuda: CudaTable, version: str) -> None:
    """A bare major, a release that is not there, and an update are not guessed at."""
    assert cuda.toolkit(Version(version)) is None


@pytest.mark.parametrize(
    ("version", "sass", "ptx"),
    [
        ("9.0", "384.81", "384.81"),
        ("10.1", "418.39", "418.39"),
        ("11.0", "450.80.02", "450.51.05"),
        ("11.2", "450.80.02", "460.27.03"),
        ("11.8", "450.80.02", "520.61.05"),
        ("12.2", "525.60.13", "535.54.03"),
        ("12.5", "525.60.13", "555.42.02"),
        ("12.9", "525.60.13", "575.51.03"),
        ("13.0", "580", "580.65.06"),
    ],
)
def test_driver_floors(cuda: CudaTable, version: str, sass: str, ptx: str) -> None:
    """Machine code needs a driver of the major, PTX one as new as the toolkit; before 11 both need the latter."""
    found = toolkit(cuda, version)
    assert found.sass_driver_linux is not None
    assert driver_text(found.sass_driver_linux) == sass
    assert found.driver_linux is not None
    assert driver_text(found.driver_linux) == ptx


def test_no_minor_version_compatibility_before_11(cuda: CudaTable) -> None:
    """It began with CUDA 11, on both systems."""
    for found in cuda.all:
        assert (found.compat_linux is None) == (found.version.major < 11)
        assert (found.compat_windows is None) == (found.version.major < 11)


def test_windows_driver_left_the_toolkit(cuda: CudaTable) -> None:
    """The table of the release notes has no driver for Windows from 13.0 on, and none for Linux from 13.4 on."""
    for found in cuda.all:
        assert (found.driver_windows is None) == (found.version >= Version("13.0"))
        assert (found.driver_linux is None) == (found.version >= Version("13.4"))


@pytest.mark.parametrize(
    ("version", "lowest", "highest"),
    [
        ("8.0", "2.0", "6.2"),
        ("9.0", "3.0", "7.0"),
        ("10.0", "3.0", "7.5"),
        ("11.0", "3.5", "8.0"),
        ("11.1", "3.5", "8.6"),
        ("11.8", "3.5", "9.0"),
        ("12.0", "5.0", "9.0a"),
        ("12.8", "5.0", "12.0a"),
        ("13.0", "7.5", "12.1f"),
    ],
)
def test_architectures(cuda: CudaTable, version: str, lowest: str, highest: str) -> None:
    """The oldest and the newest architecture a compiler makes code for."""
    names = targets(toolkit(cuda, version))
    assert (names[0], names[-1]) == (lowest, highest)


def test_blackwell_came_with_12_8(cuda: CudaTable) -> None:
    """Nothing before 12.8 compiles for compute capability 10.x or 12.x."""
    first = next(found for found in cuda.all if {"10.0", "12.0"} <= set(targets(found)))
    assert first.version == Version("12.8")


def test_targets_only_lose_whole_generations(cuda: CudaTable) -> None:
    """Within a major no architecture goes away; between majors the oldest do (and 10.1 was renamed 11.0 in 13.0)."""
    for before, after in zip(cuda.all, cuda.all[1:], strict=False):
        lost = set(targets(before)) - set(targets(after))
        if before.version.major == after.version.major:
            assert not lost, after.version
        else:
            assert all(
                target < after.targets[0] or str(target).startswith(("7.2", "10.1"))
                for target in before.targets
                if str(target) in lost
            )


def test_what_tensorflow_2_10_opens(cuda: CudaTable) -> None:
    """2.10.1 asks for these names, and opens all of them from the wheels of CUDA 11.8."""
    found = toolkit(cuda, "11.8")
    assert {
        library.soname: library.wheel for library in found.libraries if library.name not in {"cupti", "nccl", "nvrtc"}
    } == {
        "libcudart.so.11.0": "nvidia-cuda-runtime-cu11",
        "libcublas.so.11": "nvidia-cublas-cu11",
        "libcublasLt.so.11": "nvidia-cublas-cu11",
        "libcufft.so.10": "nvidia-cufft-cu11",
        "libcurand.so.10": "nvidia-curand-cu11",
        "libcusolver.so.11": "nvidia-cusolver-cu11",
        "libcusparse.so.11": "nvidia-cusparse-cu11",
    }


def test_what_no_wheel_carries(cuda: CudaTable) -> None:
    """The `libcusolver.so.10` of CUDA 11.0 is in no wheel, and nothing before CUDA 11 is."""
    cusolver = toolkit(cuda, "11.0").library("cusolver")
    assert cusolver is not None
    assert (cusolver.soname, cusolver.wheel) == ("libcusolver.so.10", None)
    old = [library for found in cuda.all if found.version.major < 11 for library in found.libraries]
    assert old
    assert all(library.wheel is None for library in old)


def test_suffix_of_wheels(cuda: CudaTable) -> None:
    """Wheels end in `-cu11` and `-cu12`, and in nothing from CUDA 13 on (NCCL keeps it)."""
    for found in cuda.all:
        for library in found.libraries:
            if library.wheel is not None:
                suffix = re.search(r"-cu(\d+)$", library.wheel)
                plain = found.version.major >= 13 and library.name != "nccl"
                assert (suffix and int(suffix[1])) == (None if plain else found.version.major)


def test_library_that_is_not_there(cuda: CudaTable) -> None:
    """The library nvJitLink began with CUDA 12."""
    assert toolkit(cuda, "11.8").library("nvJitLink") is None
    assert toolkit(cuda, "12.0").library("nvJitLink") is not None


@pytest.mark.parametrize(
    ("project", "version", "expected"),
    [
        ("nvidia-cuda-runtime-cu12", "12.9.79", "12.9"),
        ("nvidia_cuda_runtime_cu11", "11.8.89", "11.8"),
        ("nvidia-cuda-runtime", "13.0.96", "13.0"),
        ("nvidia-nvjitlink-cu12", "12.5.82", "12.5"),
        ("nvidia-cuda-runtime-cu12", "12.99.1", None),
        ("nvidia-cublas-cu12", "12.9.1.4", None),
        ("nvidia-nccl-cu12", "2.27.3", None),
    ],
)
def test_toolkit_of_a_wheel(cuda: CudaTable, project: str, version: str, expected: str | None) -> None:
    """The runtime wheel is numbered like its toolkit; cuBLAS and NCCL are not."""
    found = cuda.of_wheel(project, Version(version))
    assert (str(found.version) if found else None) == expected


def test_every_source_can_be_followed(cuda: CudaTable) -> None:
    """A source is a URL, or names published files with their hash."""
    for found in cuda.all:
        for source in (found.source, found.targets_source, *(library.source for library in found.libraries)):
            assert source.startswith("https://") or all(WHEEL.search(part) for part in source.split("; ")), source


def test_sonames_are_in_the_wheels(cuda: CudaTable) -> None:
    """Each soname and DLL is in the wheels that the row cites, as recorded from their directories."""
    checked = 0
    for found in cuda.all:
        for library in found.libraries:
            if library.wheel is None:
                continue
            cited = [name for name, _ in WHEEL.findall(library.source) if name.startswith("nvidia_")]
            assert cited, library
            for name in cited:
                assert library.soname in CONTENTS[name]["libraries"]
                stem = "-".join(name.split("-")[:2])
                windows = [
                    names["libraries"]
                    for file, names in CONTENTS.items()
                    if file.startswith(f"{stem}-") and "win_amd64" in file
                ]
                assert library.windows is None or all(library.windows in names for names in windows)
                checked += 1
    assert checked > 100


@pytest.mark.index
def test_published_wheels_hold_the_sonames(cuda: CudaTable, tmp_path: Path) -> None:
    """The oldest and the newest wheel of some libraries, opened where they are published."""
    from tfenv.index.source import IndexSource
    from tfenv.model.package import normalize
    from tfenv.store.cache import Cache

    wanted = {
        ("11.8", "cudart"),
        ("11.8", "cusolver"),
        ("12.9", "cublasLt"),
        ("12.9", "cupti"),
        ("13.5", "nvrtc"),
        ("13.5", "cufft"),
    }
    with IndexSource(("https://pypi.org/simple/",), cache=Cache(tmp_path)) as source:

        async def names(file: File) -> tuple[str, ...]:
            async with source.wheel(file) as archive:
                return archive.names()

        for version, name in sorted(wanted):
            library = toolkit(cuda, version).library(name)
            assert library is not None
            assert library.wheel is not None
            cited = dict(WHEEL.findall(library.source))
            files = [
                file
                for release in source.releases(normalize(library.wheel))
                for file in release.files
                if cited.get(file.filename) == file.sha256
            ]
            assert files, library
            for file in files:
                inside = {Path(name).name for name in asyncio.run(names(file))}
                assert library.soname in inside


TOOLKIT = """
[[toolkit]]
version = "{version}"
driver_linux = "{driver}"
driver_windows = "{driver}"
targets = ["7.0"]
source = "https://example.org"
targets_source = "https://example.org"
tier = "declared"
"""
FLOOR = (
    '[[compatibility]]\nmajor = 12\nlinux = "525"\nwindows = "525"\nsource = "https://example.org"\ntier = "declared"\n'
)
LIBRARY = (
    '[[library]]\nname = "cudart"\ntoolkits = "{toolkits}"\nsoname = "libcudart.so.12"\n'
    'source = "https://example.org"\ntier = "declared"\n'
)


def faults(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "cuda.toml"
    path.write_text(text, encoding="utf-8")
    try:
        CudaTable(path)
    except UsageError as error:
        return error.faults
    return ()


def test_a_good_table_loads(tmp_path: Path) -> None:
    """Without this, the tests below could pass for the wrong reason."""
    text = (
        FLOOR
        + TOOLKIT.format(version="12.0", driver="530")
        + TOOLKIT.format(version="12.1", driver="540")
        + LIBRARY.format(toolkits=">=12.0,<13")
    )
    assert faults(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TOOLKIT.format(version="12.0", driver="530"), "`toolkit[0].version`: no [[compatibility]] row for major 12"),
        (FLOOR + TOOLKIT.format(version="12.0.1", driver="530"), "`toolkit[0].version`: `X.Y` is wanted"),
        (
            FLOOR + TOOLKIT.format(version="12.1", driver="530") + TOOLKIT.format(version="12.0", driver="540"),
            "`toolkit[1].version`: 12.0 does not come after 12.1",
        ),
        (
            FLOOR + TOOLKIT.format(version="12.0", driver="530") + TOOLKIT.format(version="12.1", driver="520"),
            "`toolkit[1].driver_linux`: 520 is not newer than that of 12.0",
        ),
        (
            FLOOR + TOOLKIT.format(version="12.0", driver="530") + TOOLKIT.format(version="12.1", driver="520"),
            "`toolkit[1].driver_windows`: 520 is not newer than that of 12.0",
        ),
        (
            FLOOR + TOOLKIT.format(version="12.0", driver="530") + LIBRARY.format(toolkits=">12.0,<12.0"),
            "`library[0].toolkits`: `<12.0,>12.0` matches no toolkit of this file",
        ),
        (
            FLOOR + TOOLKIT.format(version="12.0", driver="530") + LIBRARY.format(toolkits="==12.*") * 2,
            "`toolkit[0].version`: more than one [[library]] row for `cudart`",
        ),
        (
            FLOOR + TOOLKIT.format(version="12.0", driver="530").replace('"7.0"', ""),
            "`toolkit[0].targets`: empty",
        ),
        (FLOOR * 2, "`compatibility[1].major`: 12 has a row already"),
    ],
)
def test_what_the_loader_refuses(tmp_path: Path, text: str, expected: str) -> None:
    """Rows that contradict each other, or mean nothing, are named."""
    assert expected in faults(tmp_path, text)
