"""What a build of TensorFlow was compiled for and with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.model.hardware import Architecture
    from tfenv.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """Kernels of a wheel that were compiled for the same GPUs.

    Attributes:
        count: number of fat binaries.
        sass: architectures with machine code in each of them.
        ptx: targets of the PTX in each of them, as the PTX itself names them (`9.0a` runs on 9.0 only).
        isa: version of the PTX language, which the driver must know; ``None`` without PTX.
    """

    count: int
    sass: tuple[Architecture, ...]
    ptx: tuple[Architecture, ...] = ()
    isa: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Xla:
    """What the compiler in a wheel can write PTX for.

    Attributes:
        ptx: newest version of the PTX language that its LLVM writes.
        targets: GPUs that its LLVM knows; for any other GPU the newest one below it is taken.
        checks: does LLVM end the process where the version of PTX is too low for the target? Before, it raised it.
        follows: is the newest version that LLVM writes asked for? Else it is that of the CUDA at build.
    """

    ptx: Version
    targets: tuple[Architecture, ...]
    checks: bool
    follows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What `build_info.py` in the wheels of one platform says, and `cuda_config.h` where that is silent.

    Attributes:
        platform: of the wheels.
        cuda: toolkit it was compiled with (only `10` where the wheel says no more); ``None`` for a CPU build.
        cudnn: version compiled against (often the major only); ``None`` for a CPU build.
        cudnn_floor: lowest cuDNN that serves, where something more exact than `cudnn` says so: what the `and-cuda`
            extra of the same wheel asks for, or a cited page.
        sass: architectures with machine code in the wheel.
        ptx: architectures with PTX in the wheel.
        partial: of `sass`, those that many kernels have PTX for only, which the driver compiles when first used.
        kernels: kinds of kernels in the wheel that `source` names; empty if its libraries were not read.
        xla: the compiler in that wheel; ``None`` if its libraries were not read.
        xla_newest: newest target that XLA itself takes, where its LLVM knows newer ones; else ``None``.
        raised: targets for which XLA is said to ask for newer PTX than that of its CUDA.
        compiler: host compiler as the wheel names it, or ``None``.
        tensorrt: was it built with TensorRT; ``None`` if the wheel does not say.
        source: wheel filename and sha256 the row was read from.
        inferred: names of the fields above that neither file says, taken from what `evidence` names.
        evidence: where the inferred fields are from: a file in the wheel, or the URL of a page.
        unknown: names of the fields above that nothing tells; a CUDA build has them empty all the same.
    """

    platform: Platform
    cuda: Version | None = None
    cudnn: Version | None = None
    cudnn_floor: Version | None = None
    sass: tuple[Architecture, ...] = ()
    ptx: tuple[Architecture, ...] = ()
    partial: tuple[Architecture, ...] = ()
    kernels: tuple[Kernels, ...] = ()
    xla: Xla | None = None
    xla_newest: Architecture | None = None
    raised: tuple[Architecture, ...] = ()
    compiler: str | None = None
    tensorrt: bool | None = None
    source: str = ""
    inferred: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_cuda(self) -> bool:
        """Was it compiled with CUDA, even if nothing tells with which?"""
        return self.cuda is not None or "cuda" in self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileFlags:
    """What a custom op is built with, so that a release loads it.

    Attributes:
        compiler: options, less `-I`.
        include: folders of headers, from `site-packages` on.
        library: what it is linked against, from there on too.
    """

    compiler: tuple[str, ...]
    include: tuple[str, ...]
    library: str
