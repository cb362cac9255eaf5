"""What a host is, as far as it can be seen from inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

    from packaging.version import Version

    from tfenv.model.hardware import ComputeCapability
    from tfenv.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuDevice:
    """A GPU of this host.

    Attributes:
        name: as the driver calls it, or as the PCI bus does (`10de:2204`) where there is no driver.
        vendor: `nvidia`, `amd` or `intel`.
        capability: of an NVIDIA GPU, ``None`` if the driver does not tell.
        memory: in bytes, ``None`` if unknown.
    """

    name: str
    vendor: str
    capability: ComputeCapability | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The NVIDIA driver of this host.

    Attributes:
        version: such as 535.104.05; on Jetson the version of L4T's driver.
        cuda: newest CUDA it runs, ``None`` if it does not say.
        seen_by: `nvml`, `nvidia-smi` or `/proc`.
        trouble: why devices cannot be used though the driver is there, or ``None``.
    """

    version: Version
    cuda: Version | None = None
    seen_by: str = "nvml"
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOnPath:
    """A CUDA library the dynamic loader would find.

    Attributes:
        soname: as programs ask for it.
        path: of the file.
        version: by the name of the file that the soname stands for; ``None`` if no such file is beside it.
        first: is it found before what a program brings itself (`LD_LIBRARY_PATH`)?
    """

    soname: str
    path: PurePath
    version: Version | None = None
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEngine:
    """A container engine on this host.

    Attributes:
        name: `docker` or `podman`.
        version: version that the engine reports; ``None`` when it does not answer.
        gpu: how containers get GPUs: `cdi`, `nvidia-runtime`, or ``None`` when they cannot.
        trouble: why it does not answer, or ``None``.
    """

    name: str
    version: str | None
    gpu: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python on this host.

    Attributes:
        path: of the interpreter.
        version: `X.Y.Z`.
        pip: version of its pip; ``None`` if it has no pip.
    """

    path: PurePath
    version: Version
    pip: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an environment (venv or conda) holds.

    Attributes:
        directory: of the environment.
        python: `X.Y.Z`, or `X.Y` where no more is told; ``None`` if there is none.
        packages: normalized name and version, sorted.
        libraries: CUDA libraries that wheels brought: soname and file, by soname.
    """

    directory: PurePath
    python: Version | None = None
    packages: tuple[tuple[str, Version], ...] = ()
    libraries: tuple[LibraryOnPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was found; ``None`` and empty mean "not found", and `unknown` says what could not be looked at.

    Attributes:
        platform: ``None`` for one that TensorFlow has no wheels for.
        system: the operating system as it calls itself (`Debian GNU/Linux 12 (bookworm)`).
        glibc: ``None`` on musl and outside Linux.
        cpu: instruction sets, named as in `/proc/cpuinfo`.
        microarchitecture: name that archspec gives the processor (`skylake_avx512`).
        level: x86-64 level that the processor reaches (`x86-64-v4`).
        gpus: GPUs of any maker, as the driver or the bus lists them.
        driver: NVIDIA driver.
        board: of a Jetson, such as `NVIDIA Jetson AGX Orin Developer Kit`.
        libraries: CUDA libraries on the loader path.
        engines: container engines.
        interpreters: Pythons that were found.
        disk_free: bytes that are free where caches and images go.
        unknown: one line for each thing that could not be looked at, with the reason.
    """

    platform: Platform | None
    system: str
    glibc: Version | None = None
    cpu: frozenset[str] = frozenset()
    microarchitecture: str | None = None
    level: str | None = None
    gpus: tuple[GpuDevice, ...] = ()
    driver: Driver | None = None
    board: str | None = None
    libraries: tuple[LibraryOnPath, ...] = ()
    engines: tuple[ContainerEngine, ...] = ()
    interpreters: tuple[Interpreter, ...] = ()
    disk_free: int | None = None
    unknown: tuple[str, ...] = ()
