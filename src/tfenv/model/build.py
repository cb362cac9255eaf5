"""What a build of TensorFlow was compiled for and with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.model.hardware import Architecture
    from tfenv.model.target import Platform


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
