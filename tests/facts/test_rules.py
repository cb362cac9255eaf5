"""What builds and libraries ask of a machine: each rule once where it fires, once where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.locks import architectures
from tfenv.facts.cuda import CudaTable, Toolkit
from tfenv.facts.database import load
from tfenv.facts.rules import (
    Demand,
    build_demands,
    capability_ranges,
    cudnn_demands,
    ptx_driver,
    runtime_demands,
    sass_driver,
)
from tfenv.model.build import Build
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.resolver.virtual import answers

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
        "H100 (9.0) would compile that PTX, made by CUDA 12.2, which needs driver ≥ 535.54.03",
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


def test_kernels_that_are_ptx_only() -> None:
    """Where a part of the kernels has PTX only, an older driver is warned of; one that compiles them is not."""
    build = replace(BUILD, sass=architectures("8.0", "9.0"), ptx=architectures("9.0"), partial=architectures("9.0"))
    h100, a100 = gpu("H100", "9.0"), gpu("A100", "8.0")

    def cautions(machine: Target) -> list[str]:
        return [demand.caution.code for demand in demands(machine, build) if demand.caution is not None]

    assert cautions(target(h100)) == ["ptx-partial"]
    assert cautions(target(h100, driver="525.60.13")) == ["ptx-partial"]
    assert problems(target(h100, driver="525.60.13"), build) == []
    assert cautions(target(h100, driver="550.54")) == []
    assert cautions(target(a100, driver="525.60.13")) == []
