"""What a set of packages adds up to: the CUDA stack, and what the whole asks of a machine. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts import kernels
from tfenv.facts.rules import ptx_driver
from tfenv.model.hardware import Architecture
from tfenv.model.lock import Needs, Origin, Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.facts.cuda import CudaTable
    from tfenv.facts.cudnn import CudnnTable
    from tfenv.model.build import Build
    from tfenv.model.hardware import ComputeCapability
    from tfenv.model.package import Name, Requirement
    from tfenv.model.target import Platform

# NVIDIA's wheels carry the CUDA major as a suffix up to CUDA 12, and none from 13 on
_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?")
_CUDNN = re.compile(r"nvidia-cudnn-cu(\d+)")
_NCCL = re.compile(r"nvidia-nccl-cu\d+")


def stack_of(pins: Mapping[Name, Version], build: Build | None) -> Stack:
    """The CUDA stack that the locked wheels bring.

    The runtime wheel is numbered like its toolkit, so its `X.Y` is the release of CUDA.
    """
    runtime = _find(pins, _RUNTIME)
    if runtime is None:
        return (
            Stack(origin=Origin.SYSTEM, cuda=build.cuda, cudnn=build.cudnn)
            if build is not None and build.is_cuda
            else Stack()
        )
    return Stack(
        origin=Origin.WHEELS,
        cuda=Version(f"{runtime.major}.{runtime.minor}"),
        cudnn=_find(pins, _CUDNN),
        nccl=_find(pins, _NCCL),
    )


def needs_of(
    requirements: Iterable[Requirement],
    build: Build | None,
    pins: Mapping[Name, Version],
    platform: Platform,
    *,
    cuda: CudaTable,
    cudnn: CudnnTable,
) -> Needs:
    """What the whole asks of a machine.

    Args:
        requirements: on virtual packages, of everything that is locked.
        build: of the locked TensorFlow, ``None`` if unknown.
        pins: what is locked.
        platform: of the target, whose drivers count.
        cuda: toolkits and their drivers.
        cudnn: to know which architectures the locked cuDNN holds code for.
    """
    floors: dict[str, Version] = {}
    features: set[str] = set()
    for requirement in requirements:
        if requirement.name == "__cpu":
            features |= requirement.extras
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                floor = Version(specifier.version)
                floors[requirement.name] = max(floor, floors.get(requirement.name, floor))
    found = Needs(glibc=floors.get("__glibc"), cpu=tuple(sorted(features)))
    if build is None or not build.is_cuda:
        return found
    driver = floors.get("__driver")
    forward = all(any(not each.variant for each in kind.ptx) for kind in build.kernels)
    return replace(
        found,
        driver=driver,
        sass=_common(build, pins, cudnn),
        ptx=build.ptx if forward else (),
        drivers=() if driver is None else _drivers(build, driver, platform, cuda),
    )


def _drivers(
    build: Build, floor: Version, platform: Platform, cuda: CudaTable
) -> tuple[tuple[ComputeCapability, Version], ...]:
    """Capabilities from which on another driver is needed, because it compiles what has no machine code there."""
    known = {target.capability for toolkit in cuda.all for target in toolkit.targets}
    found: list[tuple[ComputeCapability, Version]] = []
    for capability in sorted({*known, *(each.capability for each in build.sass)}):
        if not all(kernels.serves(kind, capability) for kind in kernels.kinds(build, cuda)):
            continue
        needed = [ptx_driver(compiler, platform) for compiler in kernels.readers(build, capability, cuda)]
        driver = max((floor, *(each for each in needed if each is not None)))
        if driver != (found[-1][1] if found else floor):
            found.append((capability, driver))
    return tuple(found)


def _common(build: Build, pins: Mapping[Name, Version], cudnn: CudnnTable) -> tuple[Architecture, ...]:
    """Capabilities from which on both TensorFlow and cuDNN have machine code."""
    found = next(((int(match[1]), pins[name]) for name in pins if (match := _CUDNN.fullmatch(name))), None)
    row = cudnn.row(found[1], found[0]) if found else None
    if row is None:
        return build.sass
    capabilities = sorted({architecture.capability for architecture in (*build.sass, *row.sass)})
    return tuple(
        Architecture(capability)
        for capability in capabilities
        if any(one.sass_runs_on(capability) for one in build.sass)
        and any(one.sass_runs_on(capability) for one in row.sass)
    )


def _find(pins: Mapping[Name, Version], pattern: re.Pattern[str]) -> Version | None:
    return next((pins[name] for name in sorted(pins) if pattern.fullmatch(name)), None)
