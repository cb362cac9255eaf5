"""What a build of TensorFlow, and what cuDNN, ask of a machine: requirements on virtual packages. Pure.

The same rules serve the resolver (which lays them over metadata) and `check` (which asks each whether it holds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.model import tags as wheel_tags
from tfenv.model.hardware import driver_text
from tfenv.model.package import Name, Requirement
from tfenv.model.report import Caution
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from tfenv.facts.cuda import Library, Toolkit
    from tfenv.facts.cudnn import Cudnn
    from tfenv.facts.releases import WheelFacts
    from tfenv.facts.rocm import RocmRow
    from tfenv.model.builds import Build
    from tfenv.model.hardware import Architecture, Gpu
    from tfenv.model.target import Target

NEVER = SpecifierSet("==0")
"""No target answers a CUDA major, and none answers `__known_bad`, with 0."""

_WINDOWS_DRIVER = (Platform.WINDOWS_X86_64, Platform.WSL)
"""WSL uses the driver of the Windows it runs on (CUDA on WSL User Guide, "Getting Started")."""


UNPROVEN = "gpu-unproven"
"""Code of a warning that nothing settles whether something runs on a GPU; no answer is `works` beside it."""

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


def cudnn_demands(version: Version, row: Cudnn, target: Target) -> tuple[Demand, ...]:
    """What a release of cuDNN asks of a target that wants CUDA: a GPU that it holds code for, and nothing known bad."""
    if target.accelerator is not Accelerator.CUDA:
        return ()
    found = [
        demand(
            "cudnn-gpu-dropped",
            "__compute_capability",
            any_of=capability_ranges(row.sass, row.ptx),
            because=f"cuDNN {version} has code for {architectures(row.sass)} only"
            + _missing(row.sass, row.ptx, target.gpus),
            source=row.source,
            caution=_compiled_cudnn(version, row, target),
        )
    ]
    bad = row.known_bad
    if bad is not None and _seen_on(bad.capabilities, target.gpus):
        found.append(
            demand(
                "cudnn-known-bad",
                "__known_bad",
                NEVER,
                because=f"cuDNN {version} is known to fail: {bad.reason}",
                source=bad.source,
            )
        )
    return tuple(found)


def _compiled_cudnn(version: Version, row: Cudnn, target: Target) -> Caution | None:
    """GPUs for which cuDNN has PTX only: a part of its convolutions has not even that (`docs/blackwell.md`)."""
    only = [
        gpu_text(gpu)
        for gpu in target.gpus
        if runs_on(gpu, (), row.ptx) and not runs_on(gpu, row.sass, ()) and row.sass
    ]
    if not only:
        return None
    message = (
        f"whether cuDNN {version} serves {' and '.join(only)} is not settled: it has PTX only for it, which the driver "
        "compiles, and for some of its convolutions not even that"
    )
    return Caution(code=UNPROVEN, message=message)


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
    found = [demand("cudnn-mismatch", "__cudnn", major, because=because, source=source)]
    if len(floor.release) > 1:
        minor = SpecifierSet(f">={floor.major}.{floor.minor}")
        found.append(demand("cudnn-too-old", "__cudnn", minor, because=because, source=source))
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
    return (demand("driver-too-old", "__driver", SpecifierSet(f">={floor}"), because=because, source=toolkit.source),)


def symbols_demand(wheel: WheelFacts) -> Demand | None:
    """The glibc that the libraries of a wheel need by their symbols; ``None`` if its tag promises no less."""
    if wheel.glibc is None or wheel.glibc == wheel_tags.glibc(wheel.tags) or wheel.glibc != wheel.needs_glibc:
        return None
    also = "" if wheel.glibcxx is None else f" and of libstdc++ up to GLIBCXX_{wheel.glibcxx}"
    because = f"the libraries in {wheel.filename} ask for symbols of glibc {wheel.glibc}{also}, whatever its tag says"
    bound = SpecifierSet(f">={wheel.glibc}")
    return demand("glibc-too-old", "__glibc", bound, because=because, source=wheel.filename)


def rocm_demands(subject: str, row: RocmRow, target: Target) -> tuple[Demand, ...]:
    """The ROCm that a build for AMD's GPUs was made with, whose updates go with one another, and the GPUs it serves.

    A release whose libraries were not read has no kernels for a GPU that a later release lacks, unless that GPU is
    older than all that the later one serves: support for a GPU is added once, and dropped for the oldest first.
    """
    because = f"{subject} is built with ROCm {row.rocm}"
    series = SpecifierSet(f"=={row.series}")
    unread = None
    if target.gfx and not row.gfx:
        message = (
            f"whether {subject} has kernels for {' and '.join(target.gfx)} is not known: its libraries were not read"
        )
        unread = Caution(code=UNPROVEN, message=message)
    found = [demand("rocm-mismatch", "__rocm", series, because=because, source=row.source, caution=unread)]
    later = row.later
    for gfx in target.gfx if later is not None and not row.gfx else ():
        assert later is not None
        oldest = min(int(each.removeprefix("gfx"), 16) for each in later.gfx)
        if gfx not in later.gfx and int(gfx.removeprefix("gfx"), 16) > oldest:
            because = f"even the later tensorflow-rocm {later.version} has kernels for {', '.join(later.gfx)} only"
            because = f"{subject} is too old for {gfx}: {because}"
            found.append(demand("gpu-too-new", "__known_bad", NEVER, because=because, source=later.gfx_source))
    for gfx in target.gfx if row.gfx else ():
        if gfx in row.gfx:
            continue
        newest = max(int(each.removeprefix("gfx"), 16) for each in row.gfx)
        code = "gpu-too-new" if int(gfx.removeprefix("gfx"), 16) > newest or gfx in row.refused else "gpu-too-old"
        because = f"{subject} has kernels for {', '.join(row.gfx)} that it accepts, none for {gfx}"
        if gfx in row.refused:
            because = f"{subject} refuses {gfx}: a comma is missing in its list of GPUs"
        found.append(demand(code, "__known_bad", NEVER, because=because, source=row.gfx_source))
    return tuple(found)


def unknown_release(subject: str) -> Demand:
    """A release of which nobody knows whether it has CUDA is no answer to a wish for CUDA."""
    because = f"nothing is known of the build of {subject}, so it might silently run on the CPU"
    return demand("tf-unknown", "__known_bad", NEVER, because=because, source="constraints/facts/tensorflow")


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


def sass_driver(toolkit: Toolkit, platform: Platform) -> Version | None:
    """The lowest driver for machine code of a toolkit: the floor of its major, or its own driver before CUDA 11."""
    windows = platform in _WINDOWS_DRIVER
    of_major, own = (
        (toolkit.compat_windows, toolkit.driver_windows) if windows else (toolkit.compat_linux, toolkit.driver_linux)
    )
    known = [driver for driver in (of_major, own) if driver is not None]
    return min(known, default=None)  # that of CUDA 11.0 is older than the floor of its major


def ptx_driver(toolkit: Toolkit, platform: Platform) -> Version | None:
    """The lowest driver for PTX of a toolkit: its own (CUDA Compatibility, "Application considerations")."""
    own = toolkit.driver_windows if platform in _WINDOWS_DRIVER else toolkit.driver_linux
    return own or sass_driver(toolkit, platform)


def demand(
    code: str,
    name: str,
    specifier: SpecifierSet | None = None,
    *,
    any_of: tuple[SpecifierSet, ...] = (),
    because: str,
    source: str,
    caution: Caution | None = None,
) -> Demand:
    """A demand on a virtual package, as only the facts bring it.

    Args:
        code: code of the problem if the target does not meet it.
        name: virtual package.
        specifier: all of it must hold.
        any_of: at least one of these must hold too.
        because: reasons, one a line.
        source: sources, one a line.
        caution: warning that is due even if it is met.
    """
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


def _missing(sass: Iterable[Architecture], ptx: Iterable[Architecture], gpus: Iterable[Gpu]) -> str:
    sass, ptx = tuple(sass), tuple(ptx)
    without = [gpu_text(gpu) for gpu in gpus if not runs_on(gpu, sass, ptx)]
    return f", none for {' and '.join(without)}" if without else ""


def runs_on(gpu: Gpu, sass: Iterable[Architecture], ptx: Iterable[Architecture]) -> bool:
    """Is there machine code for a GPU, or PTX that its driver compiles?"""
    return any(one.sass_runs_on(gpu.capability) for one in sass) or any(one.ptx_runs_on(gpu.capability) for one in ptx)


def _seen_on(capabilities: Iterable[object], gpus: tuple[Gpu, ...]) -> bool:
    """Was it seen on a GPU of the target, on all, or is the GPU not told?"""
    seen = set(capabilities)
    return not seen or not gpus or any(gpu.capability in seen for gpu in gpus)


def gpu_text(gpu: Gpu) -> str:
    """`RTX 3090 (8.6)`; the capability alone where no name is known."""
    return gpu.name if gpu.name == str(gpu.capability) else f"{gpu.name} ({gpu.capability})"
