"""The compatibility table: each release of TensorFlow in one row, from the facts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tfenv.facts import kernels
from tfenv.facts.rules import ptx_driver, sass_driver
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.builds import Build
    from tfenv.model.hardware import Architecture

_SHOWN = ("numpy", "protobuf", "keras")
_NAMES = (Name("tensorflow"), Name("tensorflow-gpu"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatRow:
    """One release on a platform.

    Attributes:
        version: release of TensorFlow.
        distribution: distribution with the CUDA build (`tensorflow-gpu` before 2.1); `tensorflow` if there is none.
        pythons: versions of CPython with a wheel, ascending, as `X.Y`.
        glibc: lowest glibc that works for all its wheels; ``None`` if not known.
        cuda: toolkit it was built with; ``None`` for a CPU build.
        cudnn: lowest cuDNN that works, as precise as known.
        sass: architectures with machine code.
        ptx: architectures with PTX.
        driver: lowest driver for the machine code.
        driver_ptx: lowest driver for the PTX that some kernels have instead of machine code.
        numpy: specifier of NumPy that its wheels require, as corrected by the facts; empty if there is none.
        protobuf: the same for protobuf.
        keras: the same for Keras.
    """

    version: Version
    distribution: Name
    pythons: tuple[Version, ...]
    glibc: Version | None
    cuda: Version | None
    cudnn: Version | None
    sass: tuple[Architecture, ...]
    ptx: tuple[Architecture, ...]
    driver: Version | None
    driver_ptx: Version | None
    numpy: str
    protobuf: str
    keras: str


def rows(
    database: Database, wanted: SpecifierSet | None = None, platform: Platform = Platform.LINUX_X86_64
) -> tuple[CompatRow, ...]:
    """Rows, newest first: the newest patch of every minor release, or every release that a specifier allows."""
    versions = sorted((each for each in database.releases.versions(_NAMES[0]) if not each.is_prerelease), reverse=True)
    if wanted is None:
        newest: dict[tuple[int, ...], Version] = {}
        for version in versions:
            newest.setdefault(version.release[:2], version)
        chosen: Iterable[Version] = newest.values()
    else:
        chosen = wanted.filter(versions)
    return tuple(_row(database, version, platform) for version in chosen)


def _row(database: Database, version: Version, platform: Platform) -> CompatRow:
    found = [facts for name in _NAMES if (facts := database.releases.release(name, version)) is not None]
    facts, build = next(
        ((each, build) for each in found if (build := each.build(platform)) is not None and build.is_cuda),
        (found[0], found[0].build(platform)),
    )
    toolkit = None if build is None else kernels.toolkit_of(build, database.cuda)
    numpy, protobuf, keras = (_required(facts, name, platform, database) for name in _SHOWN)
    return CompatRow(
        version=version,
        distribution=facts.name,
        pythons=_pythons(facts, platform),
        glibc=_glibc(facts, platform),
        cuda=build.cuda if build else None,
        cudnn=_cudnn(build),
        sass=build.sass if build else (),
        ptx=build.ptx if build else (),
        driver=sass_driver(toolkit, platform) if toolkit else None,
        driver_ptx=None if build is None else _driver_for_ptx(build, platform, database),
        numpy=numpy,
        protobuf=protobuf,
        keras=keras,
    )


def _driver_for_ptx(build: Build, platform: Platform, database: Database) -> Version | None:
    """The driver that reads the PTX of every kind of kernels."""
    isas = [kind.isa for kind in kernels.kinds(build, database.cuda) if kind.ptx and kind.isa is not None]
    toolkits = [toolkit for isa in isas if (toolkit := database.cuda.reads(isa)) is not None]
    return max((driver for each in toolkits if (driver := ptx_driver(each, platform)) is not None), default=None)


def _required(facts: ReleaseFacts, name: str, platform: Platform, database: Database) -> str:
    """The specifier of a project in the newest wheel for a platform, as corrected by the facts; empty if none."""
    wheels = [each for each in facts.wheels if each.platform is platform.wheels and each.requires_dist is not None]
    declared = [Requirement(text) for text in (wheels[-1].requires_dist or () if wheels else ())]
    found = SpecifierSet()
    patches = database.patches.of(facts.name, facts.version, platform)
    if not any(name in patch.drop for patch in patches):
        for requirement in declared:
            if canonicalize_name(requirement.name) == name and "extra" not in str(requirement.marker):
                found &= requirement.specifier
    for patch in patches:
        for added in patch.add:
            found &= added.specifier if added.name == name else SpecifierSet()
    return str(found)


def _cudnn(build: Build | None) -> Version | None:
    return (build.cudnn_floor or build.cudnn) if build is not None else None


def _pythons(facts: ReleaseFacts, platform: Platform) -> tuple[Version, ...]:
    tags = {wheel.python for wheel in facts.wheels if wheel.platform is platform.wheels}
    return tuple(sorted(Version(f"{m[1]}.{m[2]}") for tag in tags if (m := re.fullmatch(r"cp(\d)(\d+)", tag))))


def _glibc(facts: ReleaseFacts, platform: Platform) -> Version | None:
    floors = [wheel.needs_glibc for wheel in facts.wheels if wheel.platform is platform.wheels]
    return max((floor for floor in floors if floor is not None), default=None)
