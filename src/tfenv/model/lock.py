"""The lock: packages by hash, the CUDA stack, and the requirements on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tfenv.model.package import TENSORFLOWS

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.builds import Build, CompileFlags
    from tfenv.model.goal import Goal
    from tfenv.model.hardware import Architecture, ComputeCapability
    from tfenv.model.package import File, Name
    from tfenv.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One release, and the file of it that the target installs.

    Attributes:
        name: normalized name of the project.
        version: version of the release.
        file: wheel, or source distribution if there is no wheel; its `sha256` is never ``None``.
        dependencies: normalized names of the locked packages that it requires, sorted.
        requires_python: specifier that the file declares.
        direct: whether it was requested by name.
    """

    name: Name
    version: Version
    file: File
    dependencies: tuple[Name, ...] = ()
    requires_python: SpecifierSet | None = None
    direct: bool = False


class Origin(StrEnum):
    """Origin of the libraries of CUDA or ROCm."""

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
        origin: origin of the libraries: wheels, the system (conda or base image), or none.
        cuda: release of the toolkit whose runtime is installed, such as 12.9.
        cudnn: version of cuDNN, such as 9.10.2.21.
        nccl: version of NCCL, such as 2.27.3.
        rocm: ROCm that a build for AMD GPUs was made with; always of the system.
    """

    origin: Origin = Origin.NONE
    cuda: Version | None = None
    cudnn: Version | None = None
    nccl: Version | None = None
    rocm: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Requirements of the environment on a machine.

    Attributes:
        driver: lowest NVIDIA driver; ``None`` for a CPU lock.
        sass: architectures with machine code, in TensorFlow *and* in cuDNN.
        ptx: architectures for which all kernels of TensorFlow have PTX, which drivers compile for newer GPUs.
        drivers: lowest drivers that differ from `driver`, each from one compute capability up to the next; ascending.
        glibc: lowest version of glibc; ``None`` if it does not apply.
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
    """The base image of an image.

    Attributes:
        reference: repository and tag, such as `docker.io/library/python:3.13.9-slim-bookworm`.
        digest: `sha256:…`; ``None`` if no registry was reachable.
    """

    reference: str
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.reference}@{self.digest}" if self.digest else self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """The reason why a locked package is not newer.

    Attributes:
        name: normalized name of the package.
        before: next newer release.
        because: reason in one clause; empty if there is no single reason.
    """

    name: Name
    before: Version
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A complete lock; all outputs are made from it alone.

    Attributes:
        request: request as it was made.
        target: machine of the lock: `python` is set (`X.Y`), and `glibc` on Linux.
        packages: locked packages, sorted by name.
        stack: CUDA or ROCm libraries.
        needs: requirements of the environment on a machine.
        base_image: image that `build` starts from; ``None`` off Linux.
        build: build of the locked TensorFlow wheel; ``None`` if unknown.
        held: packages that have newer releases, by name.
        notes: remarks about held-back packages, one line each; shown and stored.
        warnings: things that are unknown or slow, one line each.
        sources: sources of the facts about TensorFlow.
        facts: digest of the rows of the facts.
        inputs: digest of the request, by which to tell later whether the lock is still up to date.
        environment: environment variables to set (`TF_USE_LEGACY_KERAS`), sorted pairs.
        compile: compiler options for custom ops; ``None`` if unknown, or not on Linux.
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
            LookupError: the lock does not contain one (a lock of another tool).
        """
        for name in TENSORFLOWS:
            if (package := self.package(name)) is not None:
                return package
        raise LookupError("the lock does not contain TensorFlow")
