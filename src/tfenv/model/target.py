"""A machine: what is known of it, and what a lock is made for; often not the one that tfenv runs on."""

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
class Machine:
    """What is known of a machine; ``None`` and empty mean "not known".

    Attributes:
        platform: operating system and processor; ``None`` also if TensorFlow has no wheels for it.
        foreign: name of a platform for which TensorFlow has no wheels.
        system: operating system in words (`Ubuntu 20.04`).
        python: version of Python, ``X.Y`` or ``X.Y.Z``.
        gpus: GPUs, all of which must work; a name that could not be read stays text.
        driver: version of the NVIDIA driver, such as 535.104.05.
        glibc: version of glibc.
        cpu: instruction sets of the processor, named as in ``/proc/cpuinfo``.
    """

    platform: Platform | None = None
    foreign: str | None = None
    system: str | None = None
    python: Version | None = None
    gpus: tuple[Gpu | str, ...] = ()
    driver: Version | None = None
    glibc: Version | None = None
    cpu: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Machine):
    """A machine that a lock can be made for: platform and accelerator are decided, and every GPU is known.

    Without `python` the resolver chooses the newest that fits, without `glibc` that of the base image counts.

    Attributes:
        platform: operating system and processor.
        gpus: NVIDIA GPUs; all must work.
        accelerator: accelerator to use.
        cuda_major: requested CUDA major (12 for `--gpu cuda12`).
        rocm: requested ROCm, such as 6 or 6.0.
        gfx: AMD GPUs, by the target that code for them is built for (`gfx1100`); all must work.
    """

    platform: Platform = Platform.LINUX_X86_64
    gpus: tuple[Gpu, ...] = ()
    accelerator: Accelerator = Accelerator.NONE
    cuda_major: int | None = None
    rocm: Version | None = None
    gfx: tuple[str, ...] = ()
