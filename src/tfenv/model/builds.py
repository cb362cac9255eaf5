"""Builds of TensorFlow: tools they were compiled with, and GPUs they were compiled for."""

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
    """Targets of the compiler in a wheel.

    Attributes:
        ptx: newest version of the PTX language that its LLVM writes.
        targets: GPUs that its LLVM knows; for any other GPU the newest one below it is taken.
        checks: whether LLVM ends the process if the version of PTX is too low for the target; older LLVM raised it.
        follows: whether XLA requests the newest version that LLVM writes, instead of that of the CUDA at build.
    """

    ptx: Version
    targets: tuple[Architecture, ...]
    checks: bool
    follows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Build of the wheels for one platform, from their `build_info.py`, or `cuda_config.h` where that lacks a value.

    Attributes:
        platform: platform of the wheels.
        cuda: toolkit it was compiled with (`10` if the wheel is not more precise); ``None`` for a CPU build.
        cudnn: version it was compiled with (often only the major); ``None`` for a CPU build.
        cudnn_floor: lowest cuDNN that works, if known more precisely than from `cudnn`: from the `and-cuda` extra of
            the same wheel or a cited page.
        sass: architectures with machine code in the wheel.
        ptx: architectures with PTX in the wheel.
        partial: those of `sass` for which many kernels have only PTX, which the driver compiles on first use.
        kernels: kinds of kernels in the wheel that `source` names; empty if its libraries were not read.
        xla: compiler in that wheel; ``None`` if its libraries were not read.
        xla_newest: newest target that XLA accepts, if its LLVM knows newer ones; otherwise ``None``.
        raised: targets for which, by a cited source, XLA requests newer PTX than that of its CUDA.
        compiler: host compiler as the wheel names it, or ``None``.
        tensorrt: whether it was built with TensorRT; ``None`` if not known.
        source: filename and SHA-256 of the wheel that was read.
        inferred: names of the fields above that neither file has and that `evidence` gives.
        evidence: sources of the inferred fields: files in the wheel or URLs of pages.
        unknown: names of the fields above that no source gives; they are empty although it is a CUDA build.
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
        """Whether it was compiled with CUDA, even of unknown version."""
        return self.cuda is not None or "cuda" in self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileFlags:
    """Compiler options that a custom op needs, so that a release can load it.

    Attributes:
        compiler: options without `-I`.
        include: folders of headers, relative to `site-packages`.
        library: library to link against, relative to `site-packages`.
    """

    compiler: tuple[str, ...]
    include: tuple[str, ...]
    library: str
