"""GPUs that the kernels of a build run on and its XLA compiles for, and the drivers they need. Pure.

Sources: CUDA C++ Programming Guide, "Application compatibility" (machine code and PTX); PTX ISA, "PTX module
directives" (`.version`, `.target`); `docs/blackwell.md` for what was read off the wheels of TensorFlow and reported.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.builds import Kernels

if TYPE_CHECKING:
    from tfenv.facts.cuda import CudaTable, Toolkit
    from tfenv.model.builds import Build
    from tfenv.model.hardware import Architecture, ComputeCapability


def kinds(build: Build, cuda: CudaTable) -> tuple[Kernels, ...]:
    """The kinds of kernels in a build; if its libraries were not read, one kind with all declared code."""
    if build.kernels or not (build.sass or build.ptx):
        return build.kernels
    toolkit = toolkit_of(build, cuda)
    isa = None if toolkit is None else cuda.ptx_of(toolkit)
    return (Kernels(count=1, sass=build.sass, ptx=build.ptx, isa=isa),)


def toolkit_of(build: Build, cuda: CudaTable) -> Toolkit | None:
    """The toolkit that a build was made with; ``None`` if not known, or only its major."""
    return None if build.cuda is None else cuda.toolkit(Version(".".join(map(str, build.cuda.release[:2]))))


def is_native(kind: Kernels, capability: ComputeCapability) -> bool:
    """Whether these kernels have machine code for a GPU."""
    return any(architecture.sass_runs_on(capability) for architecture in kind.sass)


def is_compiled(kind: Kernels, capability: ComputeCapability) -> bool:
    """Whether these kernels have no machine code for a GPU, but PTX that its driver compiles."""
    return not is_native(kind, capability) and any(each.ptx_runs_on(capability) for each in kind.ptx)


def serves(kind: Kernels, capability: ComputeCapability) -> bool:
    """Whether these kernels run on a GPU with a new enough driver."""
    return is_native(kind, capability) or is_compiled(kind, capability)


def target_of(build: Build, capability: ComputeCapability) -> Architecture | None:
    """The target that XLA compiles for on a GPU: the newest one of its LLVM that is not newer than the GPU."""
    return max((target for target in targets(build) if target.capability <= capability), default=None)


def targets(build: Build) -> tuple[Architecture, ...]:
    """The targets that XLA compiles for: those of its LLVM that XLA accepts."""
    newest = build.xla_newest
    return tuple(each for each in (build.xla.targets if build.xla else ()) if newest is None or each <= newest)


def exceeds(build: Build, target: Architecture | None, cuda: CudaTable) -> Toolkit | None:
    """The first toolkit that knows a target of XLA, if its PTX is newer than that of the toolkit of the build.

    XLA asks LLVM for PTX of the CUDA at build, or of an older `ptxas` that it finds (openxla/xla, `nvptx_backend.cc`).
    """
    built = toolkit_of(build, cuda)
    first = None if target is None else cuda.first_for(target.capability)
    if built is None or first is None or (build.xla is not None and build.xla.follows):
        return None
    asked, least = cuda.ptx_of(built), cuda.ptx_of(first)
    return first if asked is not None and least is not None and least > asked else None


def refused(build: Build, cuda: CudaTable) -> tuple[Architecture, ...]:
    """Targets for which LLVM ends the process, because XLA requests a version of PTX that is too old for them."""
    if build.xla is None or not build.xla.checks:
        return ()
    return tuple(
        target for target in targets(build) if target not in build.raised and exceeds(build, target, cuda) is not None
    )


def ranges_without(build: Build, unwanted: tuple[Architecture, ...]) -> tuple[SpecifierSet, ...]:
    """Compute capabilities for which XLA compiles for none of these targets; each target serves up to the next."""
    known = sorted({target.capability for target in targets(build)})
    bad = {target.capability for target in unwanted}
    runs = [(is_bad, next(run)) for is_bad, run in groupby(known, key=bad.__contains__)]
    found = []
    for at, (is_bad, start) in enumerate(runs):
        lower = [f">={start}"] if at else []
        upper = [f"<{runs[at + 1][1]}"] if at + 1 < len(runs) else []
        if not is_bad:
            found.append(SpecifierSet(",".join([*lower, *upper])))
    return tuple(found)


def readers(build: Build, capability: ComputeCapability, cuda: CudaTable) -> tuple[Toolkit, ...]:
    """The first toolkits that read the PTX of those kernels which have no machine code for a GPU."""
    found = [cuda.reads(kind.isa) for kind in kinds(build, cuda) if kind.isa and is_compiled(kind, capability)]
    return tuple(toolkit for toolkit in found if toolkit is not None)


def compilers(build: Build, capability: ComputeCapability, cuda: CudaTable) -> tuple[Toolkit, ...]:
    """Toolkits whose drivers can compile the code that a GPU finds only as PTX; the newest one decides.

    Those are the `readers`, and, where XLA writes PTX of a newer language than its CUDA knows, the first toolkit that
    knows the GPU.
    """
    newer = exceeds(build, target_of(build, capability), cuda)
    return (*readers(build, capability, cuda), *((newer,) if newer is not None else ()))
