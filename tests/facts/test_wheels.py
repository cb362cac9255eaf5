"""CUDA libraries from wheels for releases that offer none: which get them, and what is asked of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.facts.wheels import WheelTable, cuda_requirements
from tfenv.model.builds import Build
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
TENSORFLOW = Name("tensorflow")


def asked(version: str, build: Build | None = None) -> dict[str, list[Requirement]]:
    release = Version(version)
    bundle = DATABASE.wheels.of(release)
    facts = DATABASE.releases.release(TENSORFLOW, release)
    assert facts is not None
    build = build or facts.build(Platform.LINUX_X86_64)
    assert build is not None
    if bundle is None:
        return {}
    found: dict[str, list[Requirement]] = {}
    for one in cuda_requirements(TENSORFLOW, release, build, bundle, cuda=DATABASE.cuda, cudnn=DATABASE.cudnn):
        found.setdefault(one.name, []).append(one)
    return found


def bounds(version: str, wheel: str) -> str:
    return ",".join(str(one.specifier) for one in asked(version)[wheel])


@pytest.mark.parametrize("version", ["2.5.0", "2.10.1", "2.13.1"])
def test_every_library_it_opens_has_its_wheel(version: str) -> None:
    """The seven libraries of CUDA 11, cuDNN, and what XLA needs; each with a reason and a source."""
    found = asked(version)
    assert {
        "nvidia-cublas-cu11",
        "nvidia-cuda-nvcc-cu11",
        "nvidia-cuda-nvrtc-cu11",
        "nvidia-cuda-runtime-cu11",
        "nvidia-cudnn-cu11",
        "nvidia-cufft-cu11",
        "nvidia-curand-cu11",
        "nvidia-cusolver-cu11",
        "nvidia-cusparse-cu11",
    } <= set(found)
    assert all(one.because and one.source for requirements in found.values() for one in requirements)


@pytest.mark.parametrize(
    ("version", "wheel", "bound"),
    [
        ("2.10.1", "nvidia-cuda-runtime-cu11", "<12,>=11.2"),
        ("2.12.1", "nvidia-cuda-runtime-cu11", "<12,>=11.8"),
        ("2.12.1", "nvidia-cuda-nvcc-cu11", "<12,>=11.8"),
        ("2.10.1", "nvidia-cudnn-cu11", "<9,>=8,>=8.1"),
        ("2.13.1", "nvidia-cudnn-cu11", "<9,>=8,>=8.6"),
        ("2.13.1", "nvidia-cublas-cu11", ""),
    ],
)
def test_not_older_than_what_it_was_built_with(version: str, wheel: str, bound: str) -> None:
    """Wheels that are numbered like the toolkit are not older than it, cuDNN not older than compiled against."""
    assert bounds(version, wheel) == bound


def test_profiler_where_a_wheel_has_its_file() -> None:
    """2.12 opens `libcupti.so.11.8`, which there is; 2.10 opens `libcupti.so.11.2`, which no wheel carries."""
    assert "nvidia-cuda-cupti-cu11" in asked("2.12.1")
    assert "nvidia-cuda-cupti-cu11" not in asked("2.10.1")


@pytest.mark.parametrize("version", ["1.15.5", "2.4.4", "2.14.0", "2.17.1"])
def test_none_for_other_releases(version: str) -> None:
    """2.4 opens `libcusolver.so.10`, which no wheel carries; 2.14 and later bring an extra of their own."""
    assert asked(version) == {}


def test_none_if_a_single_library_has_no_wheel() -> None:
    """A build for CUDA 11.0 in the same range of releases would open `libcusolver.so.10`: then nothing is added."""
    build = Build(platform=Platform.LINUX_X86_64, cuda=Version("11.0"), cudnn=Version("8"))
    assert asked("2.5.0", build) == {}


@pytest.mark.parametrize(
    "build",
    [
        Build(platform=Platform.LINUX_X86_64, cuda=Version("11.2")),
        Build(platform=Platform.WINDOWS_X86_64, cuda=Version("11.2"), cudnn=Version("8")),
        Build(platform=Platform.LINUX_X86_64),
    ],
    ids=["cudnn unknown", "windows", "cpu"],
)
def test_nothing_is_guessed(build: Build) -> None:
    """Without its cuDNN, off Linux or without CUDA nothing is added."""
    assert asked("2.10.1", build) == {}


def test_every_bundle_is_for_releases_and_libraries_that_exist() -> None:
    """Each row matches a release, leaves one out, and names libraries of the table of toolkits."""
    known = DATABASE.releases.versions(TENSORFLOW)
    names = {library.name for toolkit in DATABASE.cuda.all for library in toolkit.libraries}
    for bundle in DATABASE.wheels.all:
        matched = [version for version in known if bundle.versions.contains(version)]
        assert matched
        assert len(matched) < len(known)
        assert {*bundle.opens, *bundle.helps} <= names


@pytest.mark.parametrize(
    ("name", "cuda"), [("nvidia-cudnn-cu12", "12"), ("nvidia-cudnn-cu13", "13"), ("nvidia-nccl-cu13", "13")]
)
def test_one_cudnn_and_one_nccl(name: str, cuda: str) -> None:
    """Where the files of two wheels have the same names, the environment is for the CUDA of one."""
    one = DATABASE.wheels.cuda_of(Name(name), Version("9.26.0.51"))
    assert one is not None
    assert str(one) == f"__cuda=={cuda}"
    assert one.because.startswith(f"{name} 9.26.0.51 is for CUDA {cuda}, and goes with no {name[:-2]}")
    assert ".whl sha256:" in one.source


@pytest.mark.parametrize("name", ["nvidia-cublas-cu12", "nvidia-cublas", "nvidia-cudnn-cu11"])
def test_wheels_with_files_of_their_own(name: str) -> None:
    """CuBLAS of 12 and 13 lie in folders of their own."""
    assert DATABASE.wheels.cuda_of(Name(name), Version("12.9")) is None


def test_what_is_proven_is_known_and_not_bad() -> None:
    """A release of cuDNN that is preferred has a row, and none that says it fails."""
    for name, proven in DATABASE.wheels.proven.items():
        row = DATABASE.cudnn.row(proven.version, int(name.rpartition("cu")[2]))
        assert row is not None
        assert proven.version in row.releases
        assert row.known_bad is None
        assert proven.says
        assert proven.source.startswith("https://")


def test_every_fault_is_told(tmp_path: Path) -> None:
    """A table with faults is refused with all of them."""
    path = tmp_path / "wheels.toml"
    path.write_text(
        'bundle = [{versions = "x", because = "b", source = "s", tier = "t", more = 1}]\n'
        'same_files = [{packages = ["a-cu12", "b"], because = "b", source = "s", tier = "declared"}]\n'
        'proven = [{package = "a", version = "x", source = "s", tier = "gpu"}]',
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as caught:
        WheelTable(path)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "`bundle[0].tier`",
        "`bundle[0].versions`",
        "`bundle[0].opens`",
        "`bundle[0].more`",
        "`proven[0].version`",
        "`proven[0].says`",
        "`same_files[0].packages`",
    ]
