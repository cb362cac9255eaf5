"""The answer: packages by hash, the stack they make, and what that asks of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tfenv.model.package import TENSORFLOWS

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.build import Build, CompileFlags
    from tfenv.model.goal import Goal
    from tfenv.model.hardware import Architecture, ComputeCapability
    from tfenv.model.package import File, Name
    from tfenv.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One release, and the one file of it that the target installs.

    Attributes:
        name: normalized name of the project.
        version: of the release.
        file: wheel, or source distribution where there is no wheel; its `sha256` is never ``None``.
        dependencies: normalized names of the locked packages it requires here, sorted.
        requires_python: as the file declares it.
        direct: was it asked for by name?
    """

    name: Name
    version: Version
    file: File
    dependencies: tuple[Name, ...] = ()
    requires_python: SpecifierSet | None = None
    direct: bool = False


class Origin(StrEnum):
    """Where the libraries of CUDA or ROCm come from."""

    NONE = "none"
    WHEELS = "wheels"
    SYSTEM = "system"
    """conda's `cudatoolkit` and `cudnn`, or the base image"""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The CUDA or ROCm stack of a lock; versions are ``None`` for a CPU lock or when unknown.

    Attributes:
        origin: wheels, the system (conda or base image), or none.
        cuda: release of the toolkit whose runtime is installed, such as 12.9.
        cudnn: such as 9.10.2.21.
        nccl: such as 2.27.3.
        rocm: that a build for AMD's GPUs was made with; always of the system.
    """

    origin: Origin = Origin.NONE
    cuda: Version | None = None
    cudnn: Version | None = None
    nccl: Version | None = None
    rocm: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the environment asks of a machine.

    Attributes:
        driver: lowest NVIDIA driver; ``None`` for a CPU lock.
        sass: architectures with machine code, in TensorFlow *and* in cuDNN.
        ptx: architectures that all kernels of TensorFlow have PTX for, which newer GPUs compile.
        drivers: from each capability on, up to the next, the lowest driver, where that is not `driver`; ascending.
        glibc: lowest; ``None`` where it does not apply.
        cpu: instruction sets, named as in ``/proc/cpuinfo``.
    """

    driver: Version | None = None
    sass: tuple[Architecture, ...] = ()
    ptx: tuple[Architecture, ...] = ()
    drivers: tuple[tuple[ComputeCapability, Version], ...] = ()
    glibc: Version | None = None
    cpu: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """What the image starts from.

    Attributes:
        reference: repository and tag, such as `docker.io/library/python:3.13.9-slim-bookworm`.
        digest: `sha256:…`, or ``None`` if no registry could be asked.
    """

    reference: str
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.reference}@{self.digest}" if self.digest else self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Why a locked package is not newer.

    Attributes:
        name: normalized name of the package.
        before: the first newer release there was.
        because: of what; empty if nothing by itself forbids it.
    """

    name: Name
    before: Version
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything the outputs are made from; nothing else is read to make them.

    Attributes:
        request: as it was asked.
        target: as it was answered: `python` is set (`X.Y`), `glibc` is set on Linux.
        packages: sorted by name.
        stack: the CUDA or ROCm libraries.
        needs: what the environment asks of a machine.
        base_image: image that `build` starts from; ``None`` off Linux.
        build: of the locked TensorFlow wheel; ``None`` if unknown.
        held: packages of which there were newer releases, by name.
        notes: one line each, what was held back and why; shown and kept.
        warnings: one line each, what could not be known or will be slow.
        sources: where each fact about TensorFlow came from.
        facts: version of the database, a digest of its rows.
        inputs: digest of the request, to see later whether the lock still answers it.
        environment: variables the environment must set (`TF_USE_LEGACY_KERAS`), sorted pairs.
        compile: what a custom op for it is built with; ``None`` if unknown, or not on Linux.
    """

    request: Goal
    target: Target
    packages: tuple[LockedPackage, ...]
    stack: Stack
    needs: Needs
    base_image: BaseImage | None
    build: Build | None
    held: tuple[HeldBack, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    facts: str = ""
    inputs: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    compile: CompileFlags | None = None

    def package(self, name: str) -> LockedPackage | None:
        """The locked release of a project, by normalized name."""
        return next((package for package in self.packages if package.name == name), None)

    @property
    def tensorflow(self) -> LockedPackage:
        """The distribution that brings the module `tensorflow`.

        Raises:
            LookupError: there is none (a lock read from elsewhere).
        """
        for name in TENSORFLOWS:
            if (package := self.package(name)) is not None:
                return package
        raise LookupError("the lock holds no TensorFlow")
