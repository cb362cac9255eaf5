"""Requirements of a TensorFlow build on a GPU and its driver, as requirements on virtual packages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts import kernels
from tfenv.facts.rules import (
    NEVER,
    OPENED,
    UNPROVEN,
    Demand,
    architectures,
    capability_ranges,
    demand,
    gpu_text,
    ptx_driver,
    runs_on,
    sass_driver,
)
from tfenv.model.hardware import driver_text
from tfenv.model.report import Caution
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from tfenv.facts.cuda import CudaTable, Toolkit
    from tfenv.facts.gpus import GpuTable
    from tfenv.model.builds import Build
    from tfenv.model.hardware import Architecture, Gpu
    from tfenv.model.target import Target

LLVM_CHECK = "https://github.com/llvm/llvm-project/pull/174834"
"""From this change on LLVM refuses a version of PTX that is too old for the target; before, it raised the version."""


def build_demands(
    subject: str, build: Build | None, target: Target, *, cuda: CudaTable, gpus: GpuTable
) -> tuple[Demand, ...]:
    """Requirements of a TensorFlow build on a target that uses CUDA; none for other targets.

    Args:
        subject: release, such as `tensorflow 2.17.1`, for the reasons.
        build: build for the target's platform; ``None`` if no wheel there has CUDA.
        target: machine; for a value that is not known, the weakest requirement is used.
        cuda: toolkits and their drivers.
        gpus: table of GPUs, for the last driver branch of each.
    """
    if target.accelerator is not Accelerator.CUDA:
        return ()
    if build is None or not build.is_cuda:
        source = build.source if build is not None else ""
        return (
            demand(
                "platform-no-gpu",
                "__cuda",
                NEVER,
                because=f"{subject} is built without CUDA for {target.platform}",
                source=source,
            ),
        )
    found: list[Demand | None] = [*_capability(subject, build, target, cuda)]
    if build.cuda is not None:
        because = f"{subject} is built with CUDA {build.cuda}"
        found.append(
            demand(
                "cuda-mismatch", "__cuda", SpecifierSet(f"=={build.cuda.major}"), because=because, source=build.source
            )
        )
        floor = _driver(subject, build, target, cuda)
        found += [floor, *_last_branch(floor, target, gpus), _exact_toolkit(subject, build, target, cuda)]
    return tuple(demand for demand in found if demand is not None)


def compiled_by_driver(build: Build, target: Target) -> tuple[Gpu, ...]:
    """GPUs of the target for which the build has no machine code, but PTX that their driver compiles."""
    return tuple(
        gpu
        for gpu in target.gpus
        if not any(one.sass_runs_on(gpu.capability) for one in build.sass)
        and any(one.ptx_runs_on(gpu.capability) for one in build.ptx)
    )


def _capability(subject: str, build: Build, target: Target, cuda: CudaTable) -> list[Demand]:
    """Requirement on a GPU: all kernels must support it, and XLA must compile for it.

    The first requirement covers the whole build. Kernels that support fewer GPUs add a requirement of their own, which
    accepts whatever the first one rejects, so that each reason is given once.
    """
    if not build.sass and not build.ptx:
        return []  # the contents are not known; the build lists them in `unknown`
    whole = capability_ranges(build.sass, build.ptx)
    found = [_serving(build.sass, build.ptx, whole, target, because=_holds(subject, build), source=build.source)]
    lowest = SpecifierSet(f"<{min(each.capability for each in (*build.sass, *build.ptx))}")
    total = sum(kind.count for kind in build.kernels)
    for kind in build.kernels:
        if (ranges := capability_ranges(kind.sass, kind.ptx)) != whole:
            because = (
                f"{kind.count} of {total} kernels of {subject} have machine code for {architectures(kind.sass)} only"
            )
            because += f", and PTX for {architectures(kind.ptx)}" if kind.ptx else ", and no PTX"
            found.append(_serving(kind.sass, kind.ptx, (lowest, *ranges), target, because=because, source=build.source))
    if bad := kernels.refused(build, cuda):
        because = (
            f"XLA in {subject} ends the process when it compiles for {architectures(bad)}: it asks for PTX of CUDA "
            f"{build.cuda}, and its LLVM wants newer PTX for them"
        )
        ranges = kernels.ranges_without(build, bad)
        source = f"{build.source}\n{LLVM_CHECK}"
        found.append(demand("gpu-too-new", "__compute_capability", any_of=ranges, because=because, source=source))
    return found


def _serving(
    sass: tuple[Architecture, ...],
    ptx: tuple[Architecture, ...],
    ranges: tuple[SpecifierSet, ...],
    target: Target,
    *,
    because: str,
    source: str,
) -> Demand:
    # a GPU older than the newest supported one was left out on purpose
    newest = max(each.capability for each in (*sass, *ptx))
    too_old = any(gpu.capability < newest for gpu in target.gpus if not runs_on(gpu, sass, ptx))
    code = "gpu-too-old" if too_old else "gpu-too-new"
    return demand(code, "__compute_capability", any_of=ranges, because=because, source=source)


def _holds(subject: str, build: Build) -> str:
    ptx = f", and PTX for {architectures(build.ptx)}" if build.ptx else ", and no PTX"
    return f"{subject} has machine code for {architectures(build.sass)} only{ptx}"


def _driver(subject: str, build: Build, target: Target, cuda: CudaTable) -> Demand | None:
    """Lowest drivers: that of the CUDA major for machine code; for PTX, that of the first toolkit that reads it."""
    toolkit = kernels.toolkit_of(build, cuda)
    floor = None if toolkit is None else sass_driver(toolkit, target.platform)
    if toolkit is None or floor is None:
        return None
    because = f"{subject} is built with CUDA {build.cuda}, which needs driver ≥ {driver_text(floor)}"
    source = toolkit.source
    for gpu in target.gpus:
        for compiler in kernels.compilers(build, gpu.capability, cuda):
            own = ptx_driver(compiler, target.platform)
            if own is not None and own > floor:
                floor, source = own, f"{build.source}\n{compiler.source}"
                because = f"{_compiles(subject, build, gpu, compiler, cuda)}, which needs driver ≥ {driver_text(own)}"
    bound = SpecifierSet(f">={floor}")
    caution = _caution(subject, build, target, cuda)
    return demand("driver-too-old", "__driver", bound, because=because, source=source, caution=caution)


def _compiles(subject: str, build: Build, gpu: Gpu, compiler: Toolkit, cuda: CudaTable) -> str:
    """What a driver compiles for a GPU, and the CUDA release it came with."""
    names = gpu_text(gpu)
    kinds = kernels.kinds(build, cuda)
    without = sum(kind.count for kind in kinds if kernels.is_compiled(kind, gpu.capability))
    total = sum(kind.count for kind in kinds)
    if without == total:
        has = f"{_holds(subject, build)}\n{names} would compile that PTX"
    else:
        has = (
            f"{without} of {total} kernels of {subject} have no machine code for {names}\nits driver compiles their PTX"
        )
    return f"{has}, of CUDA {compiler.version}"


def _caution(subject: str, build: Build, target: Target, cuda: CudaTable) -> Caution | None:
    """Warnings: a first start that takes minutes, or a GPU for which it is not known whether XLA can compile."""
    jit = compiled_by_driver(build, target)
    if open_ := [gpu for gpu in target.gpus if _is_open(build, gpu, cuda)]:
        names = " and ".join(map(gpu_text, open_))
        message = (
            f"whether {subject} runs on {names} is not settled: the driver compiles the PTX of its kernels, but XLA "
            f"has to write newer PTX than that of CUDA {build.cuda}, and of two readings only one says that it can"
        )
        return Caution(code=UNPROVEN, message=message)
    if jit:
        names = " and ".join(map(gpu_text, jit))
        message = f"{subject} has no machine code for {names}: the driver compiles its PTX on first use, for minutes"
        return Caution(code="ptx-jit", message=message)
    return None


def _is_open(build: Build, gpu: Gpu, cuda: CudaTable) -> bool:
    """Whether all kernels run, but XLA must write PTX newer than its CUDA and LLVM does not check that."""
    compiles = kernels.target_of(build, gpu.capability)
    served = all(runs_on(gpu, kind.sass, kind.ptx) for kind in build.kernels)
    newer = kernels.exceeds(build, compiles, cuda) is not None
    return served and newer and compiles not in kernels.refused(build, cuda)


def _exact_toolkit(subject: str, build: Build, target: Target, cuda: CudaTable) -> Demand | None:
    """Requirement of a build whose toolkit does not know a GPU and whose libraries can come from no other toolkit.

    The driver compiles the PTX of TensorFlow for such a GPU, but cuBLAS and cuDNN of that age have no code for it.
    Since CUDA 11.1, the libraries of newer releases have the same names and are available as wheels.
    """
    toolkit = kernels.toolkit_of(build, cuda)
    if toolkit is None or all((one := toolkit.library(name)) is not None and one.wheel for name in OPENED):
        return None
    if all(any(one.sass_runs_on(gpu.capability) for one in toolkit.targets) for gpu in target.gpus):
        return None
    newest = toolkit.targets[-1]
    because = f"{subject} opens the libraries of CUDA {toolkit.version}, which know no GPU newer than {newest}"
    ranges = capability_ranges(toolkit.targets, ())
    return demand("gpu-too-new", "__compute_capability", any_of=ranges, because=because, source=toolkit.targets_source)


def _last_branch(floor: Demand | None, target: Target, gpus: GpuTable) -> list[Demand]:
    """The last driver branch that supports the GPU; if the build needs a newer one, no driver supports both."""
    found: dict[int, Demand] = {}
    for gpu in target.gpus:
        if (last := _branch_of(gpu, gpus)) is None:
            continue
        branch, source = last
        because = f"the drivers that serve {gpu_text(gpu)} end with branch {branch}"
        bound = SpecifierSet(f"<{branch + 1}")
        found[branch] = demand("driver-too-new", "__driver", bound, because=because, source=source)
        if floor is not None and any(Version(one.version).major > branch for one in floor.requirement.specifier):
            both = f"{floor.requirement.because}\n{because}"
            sources = f"{floor.requirement.source}\n{source}"
            found[-branch] = demand("gpu-too-old", "__known_bad", NEVER, because=both, source=sources)
    return list(found.values())


def _branch_of(gpu: Gpu, gpus: GpuTable) -> tuple[int, str] | None:
    """The last driver branch by name of the GPU, or by capability if all GPUs with it agree."""
    rows = [row for row in gpus.all if row.name == gpu.name]
    rows = rows or [row for row in gpus.all if row.capability == gpu.capability]
    branches = {row.last_driver_branch for row in rows}
    branch = branches.pop() if len(branches) == 1 else None
    return None if branch is None else (branch, rows[0].driver_source)
