"""The compatibility table: each release of TensorFlow in one row, from the facts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.rules import ptx_driver, sass_driver
from tfenv.model.package import Name
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.build import Build
    from tfenv.model.hardware import Architecture

_NAMES = (Name("tensorflow"), Name("tensorflow-gpu"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatRow:
    """One release on Linux x86-64.

    Attributes:
        version: of TensorFlow.
        distribution: that holds the CUDA build (`tensorflow-gpu` before 2.1); `tensorflow` if none does.
        pythons: CPythons with a wheel, ascending, as `X.Y`.
        glibc: lowest that serves all its wheels, ``None`` if neither symbols nor tags say.
        cuda: toolkit it was built with; ``None`` for a CPU build.
        cudnn: lowest cuDNN that serves, as precise as is known.
        sass: architectures with machine code.
        ptx: architectures with PTX.
        driver: lowest for the machine code.
        driver_ptx: lowest for the PTX.
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


def rows(database: Database, wanted: SpecifierSet | None = None) -> tuple[CompatRow, ...]:
    """Newest first: the newest patch of every minor, or every release that a specifier allows."""
    versions = sorted((each for each in database.releases.versions(_NAMES[0]) if not each.is_prerelease), reverse=True)
    if wanted is None:
        newest: dict[tuple[int, ...], Version] = {}
        for version in versions:
            newest.setdefault(version.release[:2], version)
        chosen: Iterable[Version] = newest.values()
    else:
        chosen = wanted.filter(versions)
    return tuple(_row(database, version) for version in chosen)


def _row(database: Database, version: Version) -> CompatRow:
    found = [facts for name in _NAMES if (facts := database.releases.release(name, version)) is not None]
    platform = Platform.LINUX_X86_64
    facts, build = next(
        ((each, build) for each in found if (build := each.build(platform)) is not None and build.is_cuda),
        (found[0], found[0].build(platform)),
    )
    toolkit = None
    if build is not None and build.cuda is not None and len(build.cuda.release) > 1:
        toolkit = database.cuda.toolkit(Version(f"{build.cuda.major}.{build.cuda.minor}"))
    return CompatRow(
        version=version,
        distribution=facts.name,
        pythons=_pythons(facts),
        glibc=_glibc(facts),
        cuda=build.cuda if build else None,
        cudnn=_cudnn(build),
        sass=build.sass if build else (),
        ptx=build.ptx if build else (),
        driver=sass_driver(toolkit, platform) if toolkit else None,
        driver_ptx=ptx_driver(toolkit, platform) if toolkit else None,
    )


def _cudnn(build: Build | None) -> Version | None:
    return (build.cudnn_floor or build.cudnn) if build is not None else None


def _pythons(facts: ReleaseFacts) -> tuple[Version, ...]:
    tags = {wheel.python for wheel in facts.wheels if wheel.platform is Platform.LINUX_X86_64}
    return tuple(sorted(Version(f"{m[1]}.{m[2]}") for tag in tags if (m := re.fullmatch(r"cp(\d)(\d+)", tag))))


def _glibc(facts: ReleaseFacts) -> Version | None:
    floors = [wheel.needs_glibc for wheel in facts.wheels if wheel.platform is Platform.LINUX_X86_64]
    return max((floor for floor in floors if floor is not None), default=None)
