"""What a set of packages adds up to: the CUDA stack, and what the whole asks of a machine. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.hardware import Architecture
from tfenv.model.lock import Needs, Origin, Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.facts.cudnn import CudnnTable
    from tfenv.model.build import Build
    from tfenv.model.package import Name, Requirement

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
    cudnn: CudnnTable,
) -> Needs:
    """What the whole asks of a machine.

    Args:
        requirements: on virtual packages, of everything that is locked.
        build: of the locked TensorFlow, ``None`` if unknown.
        pins: what is locked.
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
    cuda = build is not None and build.is_cuda
    return Needs(
        driver=floors.get("__driver") if cuda else None,
        sass=_common(build, pins, cudnn) if build is not None and cuda else (),
        ptx=build.ptx if build is not None and cuda else (),
        glibc=floors.get("__glibc"),
        cpu=tuple(sorted(features)),
    )


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
