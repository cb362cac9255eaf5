"""The machine that an environment is for; often not the one that tfenv runs on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.model.hardware import Gpu


class Platform(StrEnum):
    """Operating system and processor, as tfenv names them."""

    LINUX_X86_64 = "linux-x86_64"
    LINUX_AARCH64 = "linux-aarch64"
    MACOS_ARM64 = "macos-arm64"
    MACOS_X86_64 = "macos-x86_64"
    WINDOWS_X86_64 = "windows-x86_64"
    WSL = "wsl"

    @property
    def is_linux(self) -> bool:
        """Whether the platform runs Linux wheels, as WSL does."""
        return self in (Platform.LINUX_X86_64, Platform.LINUX_AARCH64, Platform.WSL)

    @property
    def wheels(self) -> Platform:
        """The platform whose wheels this one installs (WSL installs those of Linux)."""
        return Platform.LINUX_X86_64 if self is Platform.WSL else self

    def __str__(self) -> str:
        return self.value


class Accelerator(StrEnum):
    """Accelerator that computes. `cudaN` also fixes the CUDA major; `cuda` leaves it to the resolver."""

    NONE = "none"
    CUDA = "cuda"
    ROCM = "rocm"
    """GPUs of AMD"""
    METAL = "metal"
    """the GPU of a Mac"""
    DIRECTML = "directml"
    """any GPU with DirectX 12, in Windows and WSL"""
    TPU = "tpu"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Known facts about the machine; ``None`` means not given.

    Attributes:
        platform: operating system and processor.
        python: version, ``X.Y`` or ``X.Y.Z``; ``None`` lets the resolver choose the newest that fits.
        accelerator: accelerator to use.
        cuda_major: requested CUDA major (12 for `--gpu cuda12`).
        rocm: requested ROCm, such as 6 or 6.0.
        gpus: NVIDIA GPUs; all must work.
        gfx: the same for GPUs of AMD, by the target that code for them is built for (`gfx1100`).
        driver: version of the NVIDIA driver, such as 535.104.05.
        glibc: glibc of the machine; ``None`` for that of the base image.
        cpu: instruction sets of the processor, named as in ``/proc/cpuinfo``.
    """

    platform: Platform = Platform.LINUX_X86_64
    python: Version | None = None
    accelerator: Accelerator = Accelerator.NONE
    cuda_major: int | None = None
    rocm: Version | None = None
    gpus: tuple[Gpu, ...] = ()
    gfx: tuple[str, ...] = ()
    driver: Version | None = None
    glibc: Version | None = None
    cpu: frozenset[str] | None = None
