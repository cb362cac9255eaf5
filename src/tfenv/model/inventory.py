"""Hardware and software of a host, as far as a program can detect them."""

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
        name: name in the driver, or the PCI identifier (`10de:2204`) if there is no driver.
        vendor: maker: `nvidia`, `amd` or `intel`.
        capability: compute capability of an NVIDIA GPU; ``None`` if the driver does not report it.
        memory: memory in bytes; ``None`` if unknown.
    """

    name: str
    vendor: str
    capability: ComputeCapability | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The NVIDIA driver of this host.

    Attributes:
        version: version, such as 535.104.05; on a Jetson, that of the driver of L4T.
        cuda: newest CUDA that it supports; ``None`` if it does not report it.
        seen_by: origin of the version: `nvml`, `nvidia-smi` or `/proc`.
        trouble: reason why its devices cannot be used, or ``None``.
    """

    version: Version
    cuda: Version | None = None
    seen_by: str = "nvml"
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOnPath:
    """A CUDA library that the dynamic loader finds.

    Attributes:
        soname: name that programs load.
        path: path of the file.
        version: version in the name of the file that the soname links to; ``None`` if it has none.
        first: whether it is found before libraries that a program brings itself (`LD_LIBRARY_PATH`).
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
        trouble: reason why it does not answer, or ``None``.
    """

    name: str
    version: str | None
    gpu: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python on this host.

    Attributes:
        path: path of the interpreter.
        version: version, `X.Y.Z`.
        pip: version of its pip; ``None`` if it has no pip.
    """

    path: PurePath
    version: Version
    pip: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Contents of an environment (venv or conda).

    Attributes:
        directory: folder of the environment.
        python: version of Python, `X.Y.Z` or `X.Y`; ``None`` if it has no Python.
        packages: pairs of normalized name and version, sorted.
        libraries: CUDA libraries from wheels: pairs of soname and file, by soname.
    """

    directory: PurePath
    python: Version | None = None
    packages: tuple[tuple[str, Version], ...] = ()
    libraries: tuple[LibraryOnPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A detected machine; ``None`` and empty mean "not found", and `unknown` lists what could not be examined.

    Attributes:
        platform: platform; ``None`` if TensorFlow has no wheels for it.
        system: name of the operating system (`Debian GNU/Linux 12 (bookworm)`).
        glibc: version of glibc; ``None`` on musl and outside Linux.
        cpu: instruction sets, named as in `/proc/cpuinfo`.
        microarchitecture: name that archspec gives the processor (`skylake_avx512`).
        level: x86-64 level that the processor reaches (`x86-64-v4`).
        gpus: GPUs of any maker, as the driver or the bus lists them.
        driver: NVIDIA driver.
        board: board of a Jetson, such as `NVIDIA Jetson AGX Orin Developer Kit`.
        libraries: CUDA libraries on the loader path.
        engines: container engines.
        interpreters: Python interpreters.
        disk_free: free bytes on the disk of caches and images.
        unknown: things that could not be examined, one line each with the reason.
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
