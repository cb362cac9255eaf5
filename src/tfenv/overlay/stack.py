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
from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tfenv.facts.cuda import CudaTable
    from tfenv.facts.cudnn import CudnnTable
    from tfenv.facts.wheels import CpuBuilds
    from tfenv.model.builds import Build
    from tfenv.model.hardware import ComputeCapability
    from tfenv.model.lock import LockedPackage
    from tfenv.model.package import Requirement
    from tfenv.model.target import Platform

_CUDNN = re.compile(r"nvidia-cudnn-cu(\d+)")
_LIBRARIES = ("nvidia-", "cuda-toolkit")
"""Beginnings of the names of projects that bring CUDA libraries."""
_UNMARKED = 13
"""First CUDA major whose runtime wheel does not have the major in its name."""
_MAJORS = (11, 12, 13)
"""CUDA majors whose libraries are on PyPI."""


def stack_of(pins: Mapping[Name, Version], build: Build | None) -> Stack:
    """The CUDA stack of TensorFlow: its own, not that of another package such as torch.

    The runtime wheel is numbered like its toolkit, so its `X.Y` is the release of CUDA. If the build is not known, the
    wheels of the lowest CUDA major count.

    Args:
        pins: what is locked.
        build: of the locked TensorFlow, ``None`` if unknown.
    """
    if build is not None and not build.is_cuda:
        return Stack()
    majors = (build.cuda.major,) if build is not None and build.cuda is not None else _MAJORS
    for major in majors:
        suffix = f"-cu{major}"
        runtime = pins.get(Name(f"nvidia-cuda-runtime{suffix if major < _UNMARKED else ''}"))
        if runtime is not None:
            return Stack(
                origin=Origin.WHEELS,
                cuda=Version(f"{runtime.major}.{runtime.minor}"),
                cudnn=pins.get(Name(f"nvidia-cudnn{suffix}")),
                nccl=pins.get(Name(f"nvidia-nccl{suffix}")),
            )
    return Stack() if build is None else Stack(origin=Origin.SYSTEM, cuda=build.cuda, cudnn=build.cudnn)


def unused_cuda(
    packages: Sequence[LockedPackage], builds: Mapping[Name, CpuBuilds], indexes: Collection[str]
) -> Iterator[str]:
    """What the CUDA libraries of other packages cost in a lock whose TensorFlow runs on the CPU, one line a package.

    Args:
        packages: that are locked.
        builds: indexes with builds for the CPU, by project.
        indexes: URLs of the lock's indexes.
    """
    by_name = {package.name: package for package in packages}
    for package in packages:
        brought: set[Name] = set()
        waiting = list(package.dependencies)
        while waiting and not package.name.startswith(_LIBRARIES):
            name = waiting.pop()
            if name.startswith(_LIBRARIES) and name not in brought:
                brought.add(name)
                waiting += by_name[name].dependencies
        if not brought:
            continue
        size = sum(by_name[name].file.size or 0 for name in brought)
        line = (
            f"{package.name} {package.version} brings {len(brought)} wheels with CUDA libraries"
            f" ({size / 1e9:.1f} GB), which TensorFlow on the CPU does not use"
        )
        row = builds.get(package.name)
        if row is not None and row.index not in indexes:
            line += f"; `--extra-index-url {row.index}` takes its build for the CPU"
        yield line


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
    carriers = [(int(match[1]), pins[name]) for name in pins if (match := _CUDNN.fullmatch(name))]
    found = next((one for one in carriers if build.cuda is None or one[0] == build.cuda.major), None)
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
