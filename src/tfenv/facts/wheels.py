"""CUDA libraries from wheels, and what other projects do with them (`wheels.toml`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts.rows import covering, finish, read
from tfenv.facts.rules import cudnn_bounds
from tfenv.model.package import Name, Requirement, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.cuda import CudaTable, Library, Toolkit
    from tfenv.facts.cudnn import CudnnTable
    from tfenv.facts.rows import Row
    from tfenv.model.builds import Build

_SUFFIX = re.compile(r"-cu(\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Libraries that releases of TensorFlow open, by the names of `cuda.toml`.

    Attributes:
        versions: releases of TensorFlow.
        opens: libraries without which it uses no GPU.
        helps: libraries that only a part of it opens (the profiler), taken if a wheel has exactly that file.
        tools: projects whose programs and data it uses (`ptxas`, `libdevice`), numbered like the toolkit.
        because: reason for adding them, as a clause about the release.
        source: source for the libraries.
    """

    versions: SpecifierSet
    opens: tuple[str, ...]
    helps: tuple[str, ...]
    tools: tuple[Name, ...]
    because: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SameFiles:
    """Wheels of one library for several CUDA majors, which bring files of the same name to the same place.

    Attributes:
        packages: names that end in the major version, `-cu12`.
        because: what fails if two are installed.
        source: wheels that were opened.
    """

    packages: tuple[Name, ...]
    because: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A release of a library that was seen to work, for libraries that TensorFlow requires as a range.

    Attributes:
        package: package of the library.
        version: version of the package.
        says: one clause about where it was seen to work.
        source: report of the test.
    """

    package: Name
    version: Version
    says: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuBuilds:
    """Projects whose wheels on PyPI bring CUDA, with an index that has their builds for the CPU.

    Attributes:
        packages: normalized names of the projects.
        index: URL of the index, with a slash at the end.
        source: page that names the index.
    """

    packages: tuple[Name, ...]
    index: str
    source: str


class WheelTable:
    """All bundles.

    Attributes:
        all: in the order of the file.
        proven: rows of proven releases by package.
        cpu_builds: index with CPU builds by project.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/wheels.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        self.all = root.rows("bundle", _bundle)
        self.proven: dict[Name, Proven] = {row.package: row for row in root.rows("proven", _proven)}
        self._same = root.rows("same_files", _same_files)
        self.cpu_builds = {name: row for row in root.rows("cpu_builds", _cpu_builds) for name in row.packages}
        finish(root, path)

    def of(self, version: Version) -> Bundle | None:
        """The bundle of one release of TensorFlow; ``None`` if no wheels fit it, or if it requires them itself."""
        return next(covering(self.all, version), None)

    def cuda_of(self, name: Name, version: Version) -> Requirement | None:
        """The CUDA that an environment with this wheel is for, if another wheel would overwrite its files."""
        row = next((one for one in self._same if name in one.packages), None)
        match = _SUFFIX.search(name)
        if row is None or match is None:
            return None
        others = ", ".join(other for other in row.packages if other != name)
        because = f"{name} {version} is for CUDA {match[1]}, and goes with no {others}: {row.because}"
        specifier = SpecifierSet(f"=={match[1]}")
        return Requirement(name=Name("__cuda"), specifier=specifier, because=because, source=row.source)


def cuda_requirements(
    name: Name, version: Version, build: Build, bundle: Bundle, *, cuda: CudaTable, cudnn: CudnnTable
) -> tuple[Requirement, ...]:
    """The wheels with the libraries that a build opens; none if one library has no wheel, since all are needed.

    Any release of the same CUDA major, from the one of the build on, works as long as its files have the names that the
    build opens (CUDA Compatibility, "Minor version compatibility"); of cuDNN see `cudnn_bounds`.

    Args:
        name: distribution, for the reasons.
        version: version of the distribution.
        build: build for a Linux platform.
        bundle: bundle of that release.
        cuda: table of toolkits, with the names and wheels of their libraries.
        cudnn: table of cuDNN, with the wheels of its releases.
    """
    toolkit = None if build.cuda is None else cuda.toolkit(Version(f"{build.cuda.major}.{build.cuda.minor}"))
    if toolkit is None or build.platform is not Platform.LINUX_X86_64:
        return ()
    needed = [toolkit.library(library) for library in bundle.opens]
    floor = build.cudnn_floor or build.cudnn
    carriers = () if floor is None else _cudnn_wheels(cudnn, floor.major, toolkit)
    if not carriers or any(library is None or library.wheel is None for library in needed):
        return ()
    helpful = [library for library in map(toolkit.library, bundle.helps) if library is not None and library.wheel]
    because = f"{name} {version} is built with CUDA {build.cuda} and {bundle.because}"
    same = SpecifierSet(f">={toolkit.version},<{toolkit.version.major + 1}")
    found: dict[Name, Requirement] = {}
    for wheel in [*_wheels([*needed, *helpful]), *bundle.tools]:
        specifier = same if cuda.of_wheel(wheel, toolkit.version) else SpecifierSet()
        found[wheel] = Requirement(name=wheel, specifier=specifier, because=because, source=bundle.source)
    bounds = cudnn_bounds(f"{name} {version}", build)
    return (*found.values(), *(replace(bound.requirement, name=carrier) for carrier in carriers for bound in bounds))


def _wheels(libraries: list[Library | None]) -> list[Name]:
    return list(dict.fromkeys(normalize(one.wheel) for one in libraries if one is not None and one.wheel))


def _cudnn_wheels(cudnn: CudnnTable, major: int, toolkit: Toolkit) -> tuple[Name, ...]:
    """Projects on PyPI with releases of that major of cuDNN for the CUDA of the toolkit."""
    found = {
        normalize(row.wheel): None
        for row in cudnn.all
        if row.wheel and row.cuda_major == toolkit.version.major and any(one.major == major for one in row.releases)
    }
    return tuple(found)


def _bundle(row: Row) -> Bundle:
    row.tier()
    return Bundle(
        versions=row.specifiers("versions"),
        opens=row.some("opens"),
        helps=row.texts("helps"),
        tools=tuple(map(normalize, row.texts("tools"))),
        because=row.text("because"),
        source=row.source(),
    )


def _same_files(row: Row) -> SameFiles:
    row.tier()
    packages = tuple(map(normalize, row.texts("packages")))
    if len(packages) < 2 or not all(map(_SUFFIX.search, packages)):
        row.fault("packages", "two or more, each named after its CUDA")
    return SameFiles(packages=packages, because=row.text("because"), source=row.source())


def _cpu_builds(row: Row) -> CpuBuilds:
    row.tier()
    packages = tuple(map(normalize, row.some("packages")))
    return CpuBuilds(packages=packages, index=row.text("index"), source=row.source())


def _proven(row: Row) -> Proven:
    row.tier()
    return Proven(
        package=normalize(row.text("package")),
        version=row.version("version"),
        says=row.text("says"),
        source=row.source(),
    )
