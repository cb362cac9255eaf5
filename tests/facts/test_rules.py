"""What builds and libraries ask of a machine: each rule once where it fires, once where it does not."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.locks import architectures
from tfenv.facts.build_rules import build_demands
from tfenv.facts.cuda import CudaTable, Toolkit
from tfenv.facts.database import Database, load
from tfenv.facts.rules import (
    UNPROVEN,
    Demand,
    capability_ranges,
    cudnn_demands,
    ptx_driver,
    rocm_demands,
    runtime_demands,
    sass_driver,
)
from tfenv.model.builds import Build, Kernels, Xla
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.package import Name
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.resolver.virtual import answers

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
BUILD = Build(
    platform=Platform.LINUX_X86_64,
    cuda=Version("12.2"),
    cudnn=Version("8"),
    sass=architectures("5.0", "6.0", "7.0", "7.5", "8.0"),
    ptx=architectures("8.0"),
    source="wheel",
)


def gpu(name: str, capability: str) -> Gpu:
    return Gpu(name=name, capability=ComputeCapability.parse(capability))


def target(*gpus: Gpu, driver: str | None = None, platform: Platform = Platform.LINUX_X86_64) -> Target:
    return Target(
        platform=platform,
        accelerator=Accelerator.CUDA,
        gpus=gpus,
        driver=None if driver is None else Version(driver),
    )


def demands(machine: Target, build: Build | None = BUILD) -> tuple[Demand, ...]:
    return build_demands("tensorflow 2.15.1", build, machine, cuda=DATABASE.cuda, gpus=DATABASE.gpus)


def problems(machine: Target, build: Build | None = BUILD) -> list[str]:
    """Codes of what the machine does not meet."""
    return unmet(demands(machine, build), machine)


def unmet(wanted: tuple[Demand, ...], machine: Target) -> list[str]:
    virtual = answers(machine, ())
    return [
        demand.requirement.code
        for demand in wanted
        if not any(answer.satisfies(demand.requirement) for answer in virtual[demand.requirement.name])
    ]


def drivers(wanted: tuple[Demand, ...]) -> list[str]:
    return [str(demand.requirement.specifier) for demand in wanted if demand.requirement.name == "__driver"]


def test_no_demands_without_cuda() -> None:
    """A target that wants no CUDA is asked for nothing, even by a CUDA build."""
    assert demands(Target()) == ()
    row = DATABASE.cudnn.row(Version("9.10.2.21"), 12)
    assert row is not None
    assert cudnn_demands(Version("9.10.2.21"), row, Target()) == ()
    assert runtime_demands("x", toolkit("12.9"), Target()) == ()


def test_machine_code_needs_the_floor_of_the_major() -> None:
    """A GPU with machine code is content with the lowest driver of the CUDA major."""
    machine = target(gpu("RTX 3090", "8.6"), driver="525.60.13")
    assert problems(machine) == []
    assert drivers(demands(machine)) == [">=525.60.13"]
    assert problems(target(gpu("RTX 3090", "8.6"), driver="525.60.11")) == ["driver-too-old"]


def test_ptx_needs_the_driver_of_the_toolkit() -> None:
    """A GPU that finds only PTX needs the driver of the toolkit that made it, and starts slowly."""
    machine = target(gpu("H100", "9.0"), driver="525.60.13")
    assert problems(machine) == ["driver-too-old"]
    assert problems(target(gpu("H100", "9.0"), driver="535.54.03")) == []
    (driver,) = [demand for demand in demands(machine) if demand.requirement.name == "__driver"]
    assert driver.caution is not None
    assert driver.caution.code == "ptx-jit"
    assert driver.requirement.because.splitlines() == [
        "tensorflow 2.15.1 has machine code for 5.0, 6.0, 7.0, 7.5 and 8.0 only, and PTX for 8.0",
        "H100 (9.0) would compile that PTX, of CUDA 12.2, which needs driver ≥ 535.54.03",
    ]
    assert len(driver.requirement.source.splitlines()) == 2


def test_several_gpus() -> None:
    """All of them must be served; one that needs PTX raises the floor for all."""
    assert problems(target(gpu("V100", "7.0"), gpu("H100", "9.0"), driver="530.30.02")) == ["driver-too-old"]
    assert problems(target(gpu("V100", "7.0"), gpu("K80", "3.7"))) == ["gpu-too-old", "gpu-too-old"]


def test_gpu_without_code() -> None:
    """A GPU older than all code is too old, one newer than all code and without PTX is too new."""
    assert problems(target(gpu("3.5", "3.5"), driver="470.10"))[0] == "gpu-too-old"
    no_ptx = Build(platform=Platform.LINUX_X86_64, cuda=Version("12.2"), sass=architectures("8.0"), source="wheel")
    assert problems(target(gpu("H100", "9.0")), no_ptx) == ["gpu-too-new"]
    assert demands(target(), no_ptx)[0].requirement.because.endswith("machine code for 8.0 only, and no PTX")


def test_unknown_architectures_ask_for_nothing() -> None:
    """A build whose architectures nothing tells asks for no capability, and one of unknown CUDA for no driver."""
    silent = Build(platform=Platform.LINUX_X86_64, unknown=("cuda", "sass", "ptx"), source="wheel")
    assert demands(target(gpu("V100", "7.0")), silent) == ()
    coarse = Build(platform=Platform.LINUX_X86_64, cuda=Version("10"), sass=architectures("7.0"), source="wheel")
    assert drivers(demands(target(gpu("RTX 3090", "8.6")), coarse)) == []


def test_before_cuda_11_there_is_no_minor_compatibility() -> None:
    """A CUDA 10 build needs the driver of its own toolkit."""
    old = Build(platform=Platform.LINUX_X86_64, cuda=Version("10.1"), sass=architectures("7.0"), source="wheel")
    assert drivers(demands(target(), old)) == [">=418.39"]


@pytest.mark.parametrize(
    ("cuda", "name", "capability", "codes"),
    [
        ("10.1", "A100", "8.0", ["gpu-too-new"]),
        ("10.1", "T4", "7.5", []),
        ("11.0", "H100", "9.0", ["gpu-too-new"]),
        ("11.0", "RTX 3090", "8.6", []),
        ("11.2", "H100", "9.0", []),
    ],
)
def test_toolkit_whose_libraries_know_no_such_gpu(cuda: str, name: str, capability: str, codes: list[str]) -> None:
    """Up to CUDA 11.0 the libraries are those of the very toolkit; from 11.2 on those of a newer one serve as well."""
    build = replace(BUILD, cuda=Version(cuda), sass=architectures("3.5", "7.0", "8.0"), ptx=architectures("7.0"))
    assert problems(target(gpu(name, capability)), build) == codes


def test_windows_and_wsl_use_drivers_of_windows() -> None:
    """Both are served by the driver of Windows, whose versions differ."""
    for platform in (Platform.WINDOWS_X86_64, Platform.WSL):
        assert drivers(demands(target(platform=platform))) == [">=528.33"]


def test_last_driver_branch() -> None:
    """A driver of a branch that no longer serves the GPU is too new; the last branch is not."""
    machine = target(gpu("GeForce GTX 1080", "6.1"), driver="590.10")
    assert problems(machine) == ["driver-too-new"]
    assert problems(target(gpu("GeForce GTX 1080", "6.1"), driver="580.65.06")) == []
    assert problems(target(gpu("6.1", "6.1"), driver="590.10")) == ["driver-too-new"]
    assert problems(target(gpu("RTX 3090", "8.6"), driver="590.10")) == []


def test_no_driver_serves_both() -> None:
    """Where the floor is newer than the last branch for the GPU, no driver would do, whatever is installed."""
    kepler = Build(platform=Platform.LINUX_X86_64, cuda=Version("12.2"), sass=architectures("3.7"), source="wheel")
    assert problems(target(gpu("K80", "3.7")), kepler) == ["gpu-too-old"]


def test_build_without_cuda() -> None:
    """A build without CUDA, or none at all, is no answer to a wish for CUDA."""
    cpu = Build(platform=Platform.LINUX_AARCH64, source="wheel")
    machine = target(platform=Platform.LINUX_AARCH64)
    assert problems(machine, cpu) == ["platform-no-gpu"]
    assert problems(machine, None) == ["platform-no-gpu"]


@pytest.mark.parametrize(("major", "code"), [(12, []), (11, ["cuda-mismatch"])])
def test_cuda_major(major: int, code: list[str]) -> None:
    """The major that was asked for must be that of the build."""
    machine = Target(accelerator=Accelerator.CUDA, cuda_major=major)
    assert problems(machine) == code


def test_cudnn_without_code_for_the_gpu() -> None:
    """CuDNN 9.10.2 has code for a V100, and newer ones do not."""
    for version, code in (("9.10.2.21", []), ("9.28.0.42", ["cudnn-gpu-dropped"])):
        row = DATABASE.cudnn.row(Version(version), 12)
        assert row is not None
        machine = target(gpu("V100", "7.0"))
        found = cudnn_demands(Version(version), row, machine)
        assert unmet(found, machine) == code
        assert found[0].requirement.because.endswith("none for V100 (7.0)") is bool(code)


def test_cudnn_known_bad() -> None:
    """A release that was seen to fail on a GPU is refused there, and where the GPU is not told, but not elsewhere."""
    row = DATABASE.cudnn.row(Version("9.5.1.17"), 12)
    assert row is not None
    assert row.known_bad is not None
    for machine, code in (
        (target(gpu("T4", "7.5")), ["cudnn-known-bad"]),
        (target(), ["cudnn-known-bad"]),
        (target(gpu("V100", "7.0")), []),
    ):
        assert unmet(cudnn_demands(Version("9.5.1.17"), row, machine), machine) == code


def test_runtime_wheel() -> None:
    """The CUDA runtime needs the floor of its major."""
    machine = target(driver="520.10")
    found = runtime_demands("nvidia-cuda-runtime-cu12 12.9.79", toolkit("12.9"), machine)
    assert unmet(found, machine) == ["driver-too-old"]
    assert found[0].requirement.because == "nvidia-cuda-runtime-cu12 12.9.79 needs driver ≥ 525.60.13"


def test_capability_ranges() -> None:
    """Machine code serves its major from its minor on, a variant only itself or its family, PTX everything newer."""
    ranges = capability_ranges(architectures("8.0", "9.0a", "10.0f"), architectures("12.0"))
    assert ranges == tuple(map(SpecifierSet, (">=8.0,<9", "==9.0", ">=10.0,<11", ">=12.0")))
    assert capability_ranges((), architectures("9.0a", "10.3f")) == (SpecifierSet("==9.0"), SpecifierSet(">=10.3,<11"))


def test_driver_of_a_toolkit_without_one() -> None:
    """A toolkit that comes with no driver asks for the floor of its major for PTX too; an unknown one for nothing."""
    newest = next(one for one in reversed(CudaTable(DATABASE.root / "cuda.toml").all) if one.driver_linux is None)
    assert ptx_driver(newest, Platform.LINUX_X86_64) == sass_driver(newest, Platform.LINUX_X86_64) == Version("580")


def toolkit(version: str) -> Toolkit:
    found = DATABASE.cuda.toolkit(Version(version))
    assert found is not None
    return found


KINDS = replace(
    BUILD,
    cuda=Version("12.5.1"),
    sass=architectures("8.0", "9.0"),
    ptx=architectures("9.0"),
    kernels=(
        Kernels(count=3, sass=architectures("8.0"), ptx=architectures("9.0a"), isa=Version("8.5")),
        Kernels(count=1, sass=architectures("8.0", "9.0"), ptx=architectures("9.0"), isa=Version("8.3")),
    ),
    xla=Xla(ptx=Version("8.8"), targets=architectures("8.0", "9.0", "12.0"), checks=False, follows=False),
)
"""Two kinds of kernels: one has PTX for 9.0 only in place of machine code."""
PLAIN = replace(KINDS, kernels=(replace(KINDS.kernels[0], ptx=architectures("9.0")), KINDS.kernels[1]))
"""The same, with PTX that any newer GPU takes."""
CHECKED = replace(PLAIN, xla=replace(KINDS.xla, checks=True) if KINDS.xla else None)
"""The same, with an LLVM that refuses."""


def cautions(machine: Target, build: Build) -> list[str]:
    """Codes of the warnings."""
    return [demand.caution.code for demand in demands(machine, build) if demand.caution is not None]


def test_kernels_that_are_ptx_only() -> None:
    """Where a part of the kernels has PTX only, the driver must read its language; where none has, it need not."""
    h100, a100 = gpu("H100", "9.0"), gpu("A100", "8.0")
    assert problems(target(h100, driver="550.54"), KINDS) == ["driver-too-old"]
    assert problems(target(h100, driver="555.42.02"), KINDS) == []
    assert problems(target(a100, driver="525.60.13"), KINDS) == []
    (driver,) = [one for one in demands(target(h100), KINDS) if one.requirement.name == "__driver"]
    assert driver.requirement.because.splitlines() == [
        "3 of 4 kernels of tensorflow 2.15.1 have no machine code for H100 (9.0)",
        "its driver compiles their PTX, of CUDA 12.5, which needs driver ≥ 555.42.02",
    ]
    assert cautions(target(h100), KINDS) == []


def test_ptx_for_one_gpu_only() -> None:
    """PTX of a target with a letter serves no newer GPU: what the whole build promises, a kind of kernels breaks."""
    future = gpu("RTX 9999", "12.0")
    assert problems(target(future), KINDS) == ["gpu-too-new"]
    (kind,) = [one for one in demands(target(future), KINDS) if "3 of 4" in one.requirement.because]
    assert kind.requirement.because == (
        "3 of 4 kernels of tensorflow 2.15.1 have machine code for 8.0 only, and PTX for 9.0a"
    )
    assert problems(target(gpu("P100", "6.0")), KINDS) == ["gpu-too-old"]
    assert cautions(target(future), KINDS) == ["ptx-jit"]


def test_xla_that_writes_newer_ptx_than_its_cuda() -> None:
    """Without LLVM's check it is not settled, with it the build is refused; a GPU that its CUDA knows is neither."""
    future = gpu("RTX 9999", "12.0")
    assert problems(target(future, driver="570.26"), PLAIN) == []
    assert problems(target(future, driver="555.42.02"), PLAIN) == ["driver-too-old"]
    assert cautions(target(future), PLAIN) == [UNPROVEN]
    assert problems(target(future), CHECKED) == ["gpu-too-new"]
    assert cautions(target(future), CHECKED) == ["ptx-jit"]
    assert cautions(target(gpu("H100", "9.0")), CHECKED) == []
    raised = replace(CHECKED, raised=architectures("12.0"))
    assert (problems(target(future), raised), cautions(target(future), raised)) == ([], [UNPROVEN])
    follows = replace(CHECKED, xla=replace(CHECKED.xla, follows=True)) if CHECKED.xla else CHECKED
    assert (problems(target(future), follows), cautions(target(future), follows)) == ([], ["ptx-jit"])


@pytest.mark.parametrize(
    ("version", "capability", "expected"),
    [
        ("2.15.1", "9.0", "ptx-jit"),
        ("2.17.1", "9.0", "works"),
        ("2.17.1", "12.0", "gpu-too-new"),
        ("2.19.1", "10.0", "gpu-too-new"),
        ("2.20.0", "12.0", "gpu-too-new"),
        ("2.20.0", "12.1", "gpu-too-new"),
        ("2.20.0", "13.0", "gpu-too-new"),
        ("2.21.0", "9.0", "works"),
        ("2.21.0", "10.3", UNPROVEN),
        ("2.21.0", "12.0", UNPROVEN),
        ("2.21.0", "13.0", UNPROVEN),
        ("2.22.0rc0", "9.0", "works"),
        ("2.22.0rc0", "10.0", "gpu-too-new"),
        ("2.22.0rc0", "12.0", UNPROVEN),
        ("2.22.0rc0", "12.1", "gpu-too-new"),
    ],
)
def test_what_the_wheels_say_of_newer_gpus(version: str, capability: str, expected: str) -> None:
    """The rule on published wheels, also for a GPU that does not exist; reports are in docs/blackwell.md."""
    release = DATABASE.releases.release(Name("tensorflow"), Version(version))
    build = None if release is None else release.build(Platform.LINUX_X86_64)
    assert build is not None
    machine = target(gpu(capability, capability))
    told = [*problems(machine, build), *cautions(machine, build)]
    assert (told or ["works"])[0] == expected


@pytest.mark.parametrize(
    ("version", "capability", "expected"),
    [
        ("2.20.0", "9.0", "works"),
        ("2.20.0", "12.0", "gpu-too-new"),
        ("2.21.0", "9.0", "works"),
        ("2.21.0", "10.3", UNPROVEN),
        ("2.21.0", "12.0", UNPROVEN),
    ],
)
def test_the_rule_holds_for_releases_it_was_not_made_from(
    version: str, capability: str, expected: str, tmp_path: Path
) -> None:
    """With the rows about builds later than 2.19 hidden, what is read off later wheels is enough."""
    folder = tmp_path / "facts"
    shutil.copytree(DATABASE.root, folder)
    path = folder / "tensorflow" / "silent.toml"
    first, *rows = path.read_text(encoding="utf-8").split("[[silent]]")
    later = re.compile(r'versions = "(==|>=|>)2\.2\d')
    kept = [row for row in rows if later.search(row) is None]
    assert len(kept) < len(rows)
    path.write_text("[[silent]]".join([first, *kept]), encoding="utf-8")
    release = Database(folder).releases.release(Name("tensorflow"), Version(version))
    build = None if release is None else release.build(Platform.LINUX_X86_64)
    assert build is not None
    machine = target(gpu(capability, capability))
    assert ([*problems(machine, build), *cautions(machine, build)] or ["works"])[0] == expected


def test_cudnn_that_has_ptx_only() -> None:
    """It is not settled whether it serves a GPU that finds no machine code in it."""
    row = DATABASE.cudnn.row(Version("8.9.4.25"), 12)
    assert row is not None
    (first, *_) = cudnn_demands(Version("8.9.4.25"), row, target(gpu("RTX 9999", "12.0")))
    assert first.caution is not None
    assert first.caution.code == UNPROVEN
    (first, *_) = cudnn_demands(Version("8.9.4.25"), row, target(gpu("H100", "9.0")))
    assert first.caution is None


@pytest.mark.parametrize(
    ("version", "gfx", "expected"),
    [
        ("2.14.0.600", "gfx90a", []),
        ("2.14.0.600", "gfx1100", ["gpu-too-new"]),
        ("2.14.0.600", "gfx1030", ["gpu-too-new"]),
        ("2.14.0.600", "gfx1102", ["gpu-too-new"]),
        ("2.14.0.600", "gfx803", ["gpu-too-old"]),
        ("2.13.1.600", "gfx1030", []),
        ("2.13.1.600", "gfx1100", ["gpu-too-new"]),
    ],
)
def test_gpus_of_amd(version: str, gfx: str, expected: list[str]) -> None:
    """A release serves what it has kernels for and accepts; of one that was not read that is not known."""
    row = DATABASE.rocm.row(Version(version))
    assert row is not None
    machine = Target(accelerator=Accelerator.ROCM, gfx=(gfx,))
    asked, *refused = rocm_demands("tensorflow-rocm", row, machine)
    assert asked.requirement.name == "__rocm"
    assert asked.caution is None
    assert [each.requirement.code for each in refused] == expected
    (unread,) = rocm_demands("tensorflow-rocm", replace(row, gfx=(), refused=(), later=None), machine)
    assert unread.caution is not None
    assert unread.caution.code == UNPROVEN


@pytest.mark.parametrize(
    ("gfx", "expected"), [("gfx1100", ["gpu-too-new"]), ("gfx942", ["gpu-too-new"]), ("gfx803", [])]
)
def test_gpus_of_amd_that_a_later_release_lacks(gfx: str, expected: list[str]) -> None:
    """A release that was not read is too old for a GPU that a later one lacks; older GPUs stay unknown."""
    row = DATABASE.rocm.row(Version("2.5.0"))
    assert row is not None
    assert row.later is not None
    asked, *refused = rocm_demands("tensorflow-rocm", row, Target(accelerator=Accelerator.ROCM, gfx=(gfx,)))
    assert asked.caution is not None
    assert [each.requirement.code for each in refused] == expected
