"""Distributions whose releases stand for those of `tensorflow` on a target that it has no wheels for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.facts.releases import platform_of
from tfenv.model.package import TENSORFLOW, Metadata, Name, Release, Requirement
from tfenv.model.target import Accelerator, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from tfenv.facts.rocm import RocmTable
    from tfenv.model.package import File
    from tfenv.model.target import Target

ROCM, TPU, MACOS = Name("tensorflow-rocm"), Name("tensorflow-tpu"), Name("tensorflow-macos")

PLUGINS = {Accelerator.METAL: Name("tensorflow-metal"), Accelerator.DIRECTML: Name("tensorflow-directml-plugin")}
"""What makes the GPU usable beside a TensorFlow that is built for the CPU."""


def distribution(target: Target) -> Name | None:
    """The one whose releases count on this target; ``None`` where only those of `tensorflow` do."""
    match target.accelerator:
        case Accelerator.ROCM:
            return ROCM
        case Accelerator.TPU:
            return TPU
        case Accelerator.CUDA:
            return None  # Apple's releases have no CUDA
        case _:
            return MACOS if target.platform is Platform.MACOS_ARM64 else None


def releases(
    own: tuple[Release, ...], others: Iterable[Release], target: Target, rocm: RocmTable
) -> tuple[Release, ...]:
    """The releases of `tensorflow` that a target has: for AMD's GPUs and for TPUs only those of the other distribution.

    Apple's `tensorflow-macos` brings what `tensorflow` had no wheels of, up to 2.12. The files are those of the other
    distribution, under the name and the version of TensorFlow; `stands_for` tells them.
    """
    standing: dict[Version, list[File]] = {}
    for other in others:
        if (version := _tensorflow(other, rocm)) is not None:
            files = [replace(file, name=TENSORFLOW, version=version) for file in other.files if file.is_wheel]
            standing.setdefault(version, []).extend(files)
    kept = own
    if target.accelerator in (Accelerator.ROCM, Accelerator.TPU):
        kept = ()
    served = {release.version for release in kept if any(_is_for(target.platform, file) for file in release.files)}
    found = {release.version: release for release in kept}
    for version, files in standing.items():
        if version not in served:
            found[version] = Release(name=TENSORFLOW, version=version, files=tuple(files))
    return tuple(found[version] for version in sorted(found, reverse=True))


def stands_for(file: File, rocm: RocmTable) -> Metadata | None:
    """What a file of another distribution under the name of `tensorflow` requires: that distribution, and no more.

    ``None`` if it is one of `tensorflow` itself. Several releases of `tensorflow-rocm` may be the same TensorFlow.
    """
    name = next((name for name in (ROCM, TPU, MACOS) if file.filename.startswith(f"{name.replace('-', '_')}-")), None)
    if name is None:
        return None
    versions = [file.version]
    if name == ROCM:
        versions = [row.version for row in rocm.all if row.tensorflow == file.version]
    because = f"{name} stands in for {TENSORFLOW} on this target"
    return only(name, versions, because, file.filename)


def only(name: Name, versions: Iterable[Version], because: str, source: str) -> Metadata:
    """Metadata of a release that is not installed, because one of these is."""
    wanted = tuple(versions)
    exact = tuple(SpecifierSet(f"=={version}") for version in wanted)
    requirement = (
        Requirement(name=name, specifier=exact[0], because=because, source=source)
        if len(exact) == 1
        else Requirement(name=name, any_of=exact, because=because, source=source)
    )
    return Metadata(name=name, version=wanted[0], requires=(requirement,), source=source)


def _tensorflow(release: Release, rocm: RocmTable) -> Version | None:
    """The release of TensorFlow that it is."""
    if release.name != ROCM:
        return release.version
    row = rocm.row(release.version)
    return None if row is None else row.tensorflow


def _is_for(platform: Platform, file: File) -> bool:
    return file.is_wheel and platform_of(file.filename) is platform.wheels
