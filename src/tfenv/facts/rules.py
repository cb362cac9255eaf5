"""What a build of TensorFlow, and what cuDNN, ask of a machine: requirements on virtual packages. Pure.

The same rules serve the resolver (which lays them over metadata) and `check` (which asks each whether it holds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model import tags as wheel_tags
from tfenv.model.hardware import driver_text
from tfenv.model.package import Name, Requirement
from tfenv.model.report import Caution
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.cuda import CudaTable, Library, Toolkit
    from tfenv.facts.cudnn import Cudnn
    from tfenv.facts.failures import FailureTable
    from tfenv.facts.gpus import GpuTable
    from tfenv.facts.releases import WheelFacts
    from tfenv.facts.rocm import RocmRow
    from tfenv.model.build import Build
    from tfenv.model.hardware import Architecture, Gpu
    from tfenv.model.target import Target

NEVER = SpecifierSet("==0")
"""No target answers a CUDA major, and none answers `__known_bad`, with 0."""

_WINDOWS_DRIVER = (Platform.WINDOWS_X86_64, Platform.WSL)
"""WSL uses the driver of the Windows it runs on (CUDA on WSL User Guide, "Getting Started")."""


OPENED = ("cudart", "cublas", "cublasLt", "cufft", "curand", "cusolver", "cusparse")
"""Libraries of the toolkit that TensorFlow opens by name before it uses a GPU (`dso_loader.cc`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One requirement on the machine.

    Attributes:
        requirement: requirement on a virtual package, with the code of the problem if the target does not meet it; its
            reasons and sources are one a line.
        caution: warning that is due even if the requirement is met.
    """

    requirement: Requirement
    caution: Caution | None = None


def build_demands(
    subject: str, build: Build | None, target: Target, *, cuda: CudaTable, gpus: GpuTable
) -> tuple[Demand, ...]:
    """What a TensorFlow build asks of a target that wants CUDA; nothing of one that does not.

    Args:
        subject: such as `tensorflow 2.17.1`, for the reasons.
        build: of the target's platform; ``None`` if there is no TensorFlow with CUDA in its wheels there.
        target: the machine; what it does not say leaves the requirement at its mildest.
        cuda: toolkits and their drivers.
        gpus: which driver branch is the last for a GPU.
    """
    if target.accelerator is not Accelerator.CUDA:
        return ()
    if build is None or not build.is_cuda:
        source = build.source if build is not None else ""
        return (
            _demand(
                "platform-no-gpu",
                "__cuda",
                NEVER,
                because=f"{subject} is built without CUDA for {target.platform}",
                source=source,
            ),
        )
    found = [_capability(subject, build, target)]
    if build.cuda is not None:
        because = f"{subject} is built with CUDA {build.cuda}"
        found.append(
            _demand(
                "cuda-mismatch", "__cuda", SpecifierSet(f"=={build.cuda.major}"), because=because, source=build.source
            )
        )
        floor = _driver(subject, build, target, cuda)
        found += [floor, *_last_branch(floor, target, gpus), _exact_toolkit(subject, build, target, cuda)]
    return tuple(demand for demand in found if demand is not None)


def failure_demands(
    subject: str, version: Version, build: Build | None, target: Target, failures: FailureTable
) -> tuple[Demand, ...]:
    """What forbids a build on GPUs that would have to compile its PTX and were seen to fail with it."""
    found = []
    for gpu in () if build is None else compiled_by_driver(build, target):
        if build is not None and (failure := failures.of(version, gpu.capability)) is not None:
            has = f"{_holds(subject, build)}, none for {_gpu(gpu)}, whose driver would have to compile the PTX"
            because, source = f"{has}\n{failure.reason}", "\n".join((build.source, *failure.sources))
            found.append(_demand("gpu-too-new", "__known_bad", NEVER, because=because, source=source))
    return tuple(found)


def cudnn_demands(version: Version, row: Cudnn, target: Target) -> tuple[Demand, ...]:
    """What a release of cuDNN asks of a target that wants CUDA: a GPU that it holds code for, and nothing known bad."""
    if target.accelerator is not Accelerator.CUDA:
        return ()
    found = [
        _demand(
            "cudnn-gpu-dropped",
            "__compute_capability",
            any_of=capability_ranges(row.sass, row.ptx),
            because=f"cuDNN {version} has code for {architectures(row.sass)} only"
            + _missing(row.sass, row.ptx, target.gpus),
            source=row.source,
        )
    ]
    bad = row.known_bad
    if bad is not None and _seen_on(bad.capabilities, target.gpus):
        found.append(
            _demand(
                "cudnn-known-bad",
                "__known_bad",
                NEVER,
                because=f"cuDNN {version} is known to fail: {bad.reason}",
                source=bad.source,
            )
        )
    return tuple(found)


def cudnn_bounds(subject: str, build: Build) -> tuple[Demand, ...]:
    """What a build asks of `__cudnn`: the major it was compiled against, and at least the minor.

    Source: `cuda_dnn.cc` of TensorFlow, "CuDNN library needs to have matching major version and equal or higher minor
    version".
    """
    floor = build.cudnn_floor or build.cudnn
    if floor is None:
        return ()
    source = (
        "\n".join(dict.fromkeys((build.source, *build.evidence))) if "cudnn_floor" in build.inferred else build.source
    )
    because = f"{subject} was compiled against cuDNN {floor}: it needs that major, and no older release"
    major = SpecifierSet(f">={floor.major},<{floor.major + 1}")
    found = [_demand("cudnn-mismatch", "__cudnn", major, because=because, source=source)]
    if len(floor.release) > 1:
        minor = SpecifierSet(f">={floor.major}.{floor.minor}")
        found.append(_demand("cudnn-too-old", "__cudnn", minor, because=because, source=source))
    return tuple(found)


def foreign_libraries(built: Toolkit, offered: Toolkit, platform: Platform) -> tuple[tuple[Library, Library], ...]:
    """Libraries that a build opens by another name than a toolkit gives them: asked for, and offered."""
    windows = platform is Platform.WINDOWS_X86_64

    def file(library: Library) -> str | None:
        return library.windows if windows else library.soname

    return tuple(
        (library, other)
        for name in OPENED
        if (library := built.library(name)) is not None
        and (other := offered.library(name)) is not None
        and file(library) != file(other)
    )


def runtime_demands(wheel: str, toolkit: Toolkit, target: Target) -> tuple[Demand, ...]:
    """What the CUDA runtime from a wheel asks of the driver."""
    floor = sass_driver(toolkit, target.platform)
    if target.accelerator is not Accelerator.CUDA or floor is None:
        return ()
    because = f"{wheel} needs driver ≥ {driver_text(floor)}"
    return (_demand("driver-too-old", "__driver", SpecifierSet(f">={floor}"), because=because, source=toolkit.source),)


def symbols_demand(wheel: WheelFacts) -> Demand | None:
    """The glibc that the libraries of a wheel need by their symbols; ``None`` if its tag promises no less."""
    if wheel.glibc is None or wheel.glibc == wheel_tags.glibc(wheel.tags) or wheel.glibc != wheel.needs_glibc:
        return None
    also = "" if wheel.glibcxx is None else f" and of libstdc++ up to GLIBCXX_{wheel.glibcxx}"
    because = f"the libraries in {wheel.filename} ask for symbols of glibc {wheel.glibc}{also}, whatever its tag says"
    bound = SpecifierSet(f">={wheel.glibc}")
    return _demand("glibc-too-old", "__glibc", bound, because=because, source=wheel.filename)


def rocm_demand(subject: str, row: RocmRow) -> Demand:
    """The ROCm that a build for AMD's GPUs was made with; its updates go with one another."""
    because = f"{subject} is built with ROCm {row.rocm}"
    return _demand("rocm-mismatch", "__rocm", SpecifierSet(f"=={row.series}"), because=because, source=row.source)


def unknown_release(subject: str) -> Demand:
    """A release of which nobody knows whether it has CUDA is no answer to a wish for CUDA."""
    because = f"nothing is known of the build of {subject}, so it might silently run on the CPU"
    return _demand("tf-unknown", "__known_bad", NEVER, because=because, source="constraints/facts/tensorflow")


def capability_ranges(sass: Iterable[Architecture], ptx: Iterable[Architecture]) -> tuple[SpecifierSet, ...]:
    """Compute capabilities that have code to run, as ranges of versions; the rules are those of `Architecture`."""
    ranges: dict[str, None] = {}
    for one in sorted(sass):
        major = one.capability.major
        ranges[f"=={one.capability}" if one.variant == "a" else f">={one.capability},<{major + 1}"] = None
    for one in sorted(ptx):
        major = one.capability.major
        if one.variant:
            ranges[f"=={one.capability}" if one.variant == "a" else f">={one.capability},<{major + 1}"] = None
        else:
            ranges[f">={one.capability}"] = None
    return tuple(map(SpecifierSet, ranges))


def architectures(items: Iterable[Architecture]) -> str:
    """`5.0, 6.0 and 7.0`."""
    texts = [str(item) for item in items]
    return ", ".join(texts[:-1]) + " and " + texts[-1] if len(texts) > 1 else "".join(texts) or "nothing"


def compiled_by_driver(build: Build, target: Target) -> tuple[Gpu, ...]:
    """GPUs of the target that find no machine code in the build, but PTX that their driver compiles."""
    return tuple(
        gpu
        for gpu in target.gpus
        if not any(one.sass_runs_on(gpu.capability) for one in build.sass)
        and any(one.ptx_runs_on(gpu.capability) for one in build.ptx)
    )


def sass_driver(toolkit: Toolkit, platform: Platform) -> Version | None:
    """The lowest driver for machine code of a toolkit: the floor of its major, or its own driver before CUDA 11."""
    if platform in _WINDOWS_DRIVER:
        return toolkit.compat_windows or toolkit.driver_windows
    return toolkit.compat_linux or toolkit.driver_linux


def ptx_driver(toolkit: Toolkit, platform: Platform) -> Version | None:
    """The lowest driver for PTX of a toolkit: its own (CUDA Compatibility, "Application considerations")."""
    own = toolkit.driver_windows if platform in _WINDOWS_DRIVER else toolkit.driver_linux
    return own or sass_driver(toolkit, platform)


def _demand(
    code: str,
    name: str,
    specifier: SpecifierSet | None = None,
    *,
    any_of: tuple[SpecifierSet, ...] = (),
    because: str,
    source: str,
    caution: Caution | None = None,
) -> Demand:
    requirement = Requirement(
        name=Name(name),
        specifier=specifier or SpecifierSet(),
        any_of=any_of,
        because=because,
        source=source,
        code=code,
        brought="fact",
    )
    return Demand(requirement=requirement, caution=caution)


def _capability(subject: str, build: Build, target: Target) -> Demand | None:
    if not build.sass and not build.ptx:
        return None  # nothing tells what it holds; the build names that as unknown
    # a GPU below the newest one that a build serves was left out, not yet to come
    newest = max(one.capability for one in (*build.sass, *build.ptx))
    too_old = any(gpu.capability < newest for gpu in target.gpus if not _runs_on(gpu, build.sass, build.ptx))
    return _demand(
        "gpu-too-old" if too_old else "gpu-too-new",
        "__compute_capability",
        any_of=capability_ranges(build.sass, build.ptx),
        because=_holds(subject, build),
        source=build.source,
    )


def _holds(subject: str, build: Build) -> str:
    ptx = f", and PTX for {architectures(build.ptx)}" if build.ptx else ", and no PTX"
    return f"{subject} has machine code for {architectures(build.sass)} only{ptx}"


def _driver(subject: str, build: Build, target: Target, cuda: CudaTable) -> Demand | None:
    """The floor of the CUDA major where there is machine code; the toolkit's own driver where there is only PTX."""
    toolkit = None if build.cuda is None else cuda.toolkit(Version(".".join(map(str, build.cuda.release[:2]))))
    if toolkit is None:
        return None
    jit = compiled_by_driver(build, target)
    floor = ptx_driver(toolkit, target.platform) if jit else sass_driver(toolkit, target.platform)
    if floor is None:
        return None
    caution = None
    because = f"{subject} is built with CUDA {build.cuda}, which needs driver ≥ {driver_text(floor)}"
    source = toolkit.source
    if jit:
        names = " and ".join(_gpu(gpu) for gpu in jit)
        ptx = f"{names} would compile that PTX, made by CUDA {build.cuda}, which needs driver ≥ {driver_text(floor)}"
        because, source = f"{_holds(subject, build)}\n{ptx}", f"{build.source}\n{source}"
        message = f"{subject} has no machine code for {names}: the driver compiles its PTX on first use, for minutes"
        caution = Caution(code="ptx-jit", message=message)
    else:
        caution = _partly_compiled(subject, build, target, ptx_driver(toolkit, target.platform))
    bound = SpecifierSet(f">={floor}")
    return _demand("driver-too-old", "__driver", bound, because=because, source=source, caution=caution)


def _partly_compiled(subject: str, build: Build, target: Target, needed: Version | None) -> Caution | None:
    """Some kernels have PTX only for the newest architecture of a build: an older driver runs the rest of it."""
    if needed is None or (target.driver is not None and target.driver >= needed):
        return None
    partly = [
        gpu
        for gpu in target.gpus
        if (serving := [one for one in build.sass if one.sass_runs_on(gpu.capability)])
        and all(one in build.partial for one in serving)
    ]
    if not partly:
        return None
    names = " and ".join(_gpu(gpu) for gpu in partly)
    message = (
        f"{subject} has only PTX of CUDA {build.cuda} for a part of its kernels on {names}: "
        f"those need driver ≥ {driver_text(needed)} and are compiled on first use"
    )
    return Caution(code="ptx-partial", message=message)


def _exact_toolkit(subject: str, build: Build, target: Target, cuda: CudaTable) -> Demand | None:
    """A GPU that the toolkit does not know, of a build that takes its libraries from no other toolkit.

    The driver compiles the PTX of TensorFlow for such a GPU, but cuBLAS and cuDNN of that age have no code for it. From
    CUDA 11.1 on the libraries of a newer release have the same names, and wheels carry them.
    """
    toolkit = None if build.cuda is None else cuda.toolkit(Version(".".join(map(str, build.cuda.release[:2]))))
    if toolkit is None or all((one := toolkit.library(name)) is not None and one.wheel for name in OPENED):
        return None
    if all(any(one.sass_runs_on(gpu.capability) for one in toolkit.targets) for gpu in target.gpus):
        return None
    newest = toolkit.targets[-1]
    because = f"{subject} opens the libraries of CUDA {toolkit.version}, which know no GPU newer than {newest}"
    ranges = capability_ranges(toolkit.targets, ())
    return _demand("gpu-too-new", "__compute_capability", any_of=ranges, because=because, source=toolkit.targets_source)


def _last_branch(floor: Demand | None, target: Target, gpus: GpuTable) -> list[Demand]:
    """A driver of a newer branch no longer serves the GPU; if the floor is newer still, no driver serves both."""
    found: dict[int, Demand] = {}
    for gpu in target.gpus:
        if (last := _branch_of(gpu, gpus)) is None:
            continue
        branch, source = last
        because = f"the drivers that serve {_gpu(gpu)} end with branch {branch}"
        bound = SpecifierSet(f"<{branch + 1}")
        found[branch] = _demand("driver-too-new", "__driver", bound, because=because, source=source)
        if floor is not None and any(Version(one.version).major > branch for one in floor.requirement.specifier):
            both = f"{floor.requirement.because}\n{because}"
            sources = f"{floor.requirement.source}\n{source}"
            found[-branch] = _demand("gpu-too-old", "__known_bad", NEVER, because=both, source=sources)
    return list(found.values())


def _branch_of(gpu: Gpu, gpus: GpuTable) -> tuple[int, str] | None:
    """By name, or, where only a capability was given, if all GPUs of that capability agree."""
    rows = [row for row in gpus.all if row.name == gpu.name]
    rows = rows or [row for row in gpus.all if row.capability == gpu.capability]
    branches = {row.last_driver_branch for row in rows}
    branch = branches.pop() if len(branches) == 1 else None
    return None if branch is None else (branch, rows[0].driver_source)


def _missing(sass: Iterable[Architecture], ptx: Iterable[Architecture], gpus: Iterable[Gpu]) -> str:
    sass, ptx = tuple(sass), tuple(ptx)
    without = [_gpu(gpu) for gpu in gpus if not _runs_on(gpu, sass, ptx)]
    return f", none for {' and '.join(without)}" if without else ""


def _runs_on(gpu: Gpu, sass: Iterable[Architecture], ptx: Iterable[Architecture]) -> bool:
    return any(one.sass_runs_on(gpu.capability) for one in sass) or any(one.ptx_runs_on(gpu.capability) for one in ptx)


def _seen_on(capabilities: Iterable[object], gpus: tuple[Gpu, ...]) -> bool:
    """Was it seen on a GPU of the target, on all, or is the GPU not told?"""
    seen = set(capabilities)
    return not seen or not gpus or any(gpu.capability in seen for gpu in gpus)


def _gpu(gpu: Gpu) -> str:
    return gpu.name if gpu.name == str(gpu.capability) else f"{gpu.name} ({gpu.capability})"
