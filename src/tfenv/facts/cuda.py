"""CUDA toolkits: required drivers, GPUs they compile for, and their libraries (`cuda.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from tfenv.facts.rows import finish, read

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from tfenv.facts.rows import Row
    from tfenv.model.hardware import Architecture, ComputeCapability


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One shared library of a toolkit.

    Attributes:
        name: name without prefix and suffix, such as `cublasLt`.
        soname: name that a Linux program loads, such as `libcublasLt.so.12`.
        windows: name of the DLL; ``None`` if not known.
        wheel: project on PyPI that contains it; ``None`` if there is none for this toolkit.
        source: files in which soname and DLL were seen.
    """

    name: str
    soname: str
    windows: str | None
    wheel: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolkit:
    """One release `X.Y` of the CUDA toolkit.

    Attributes:
        version: `X.Y`; updates (`X.Y.Z`) are not distinguished.
        driver_linux: driver included in its first release, the lowest that is sure to compile its PTX; ``None`` for a
            toolkit without a driver (since 13.4).
        driver_windows: the same for Windows; ``None`` since 13.0.
        compat_linux: lowest driver for its machine code, by minor-version compatibility; ``None`` before CUDA 11.
        compat_windows: the same on Windows.
        targets: architectures that its compiler makes machine code for, ascending.
        libraries: libraries of the toolkit.
        source: source of the drivers.
        targets_source: source of the architectures.
    """

    version: Version
    driver_linux: Version | None
    driver_windows: Version | None
    compat_linux: Version | None
    compat_windows: Version | None
    targets: tuple[Architecture, ...]
    libraries: tuple[Library, ...]
    source: str
    targets_source: str

    def library(self, name: str) -> Library | None:
        """The library of that name (`cudart`)."""
        return next((library for library in self.libraries if library.name == name), None)

    @property
    def sass_driver_linux(self) -> Version | None:
        """Lowest Linux driver for machine code: that of the major version, or before CUDA 11 that of the toolkit."""
        return self.compat_linux or self.driver_linux


class CudaTable:
    """All toolkits."""

    def __init__(self, path: Path) -> None:
        """Read `cuda.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        floors: dict[int, tuple[Version, Version]] = {}
        for row, (major, linux, windows) in root.pairs("compatibility", _floor):
            if major in floors:
                row.fault("major", f"{major} has a row already")
            floors[major] = linux, windows
        library_rows = root.pairs("library", _library)
        libraries = tuple(library for _, library in library_rows)
        rows = root.pairs("toolkit", lambda row: _toolkit(row, floors, libraries))
        toolkits = tuple(toolkit for _, toolkit in rows)
        for (_, before), (row, after) in pairwise(rows):
            if after.version <= before.version:
                row.fault("version", f"{after.version} does not come after {before.version}")
            if after.driver_linux and before.driver_linux and after.driver_linux <= before.driver_linux:
                row.fault("driver_linux", f"{after.driver_linux} is not newer than that of {before.version}")
            if after.driver_windows and before.driver_windows and after.driver_windows <= before.driver_windows:
                row.fault("driver_windows", f"{after.driver_windows} is not newer than that of {before.version}")
        for row, (where, _) in library_rows:
            if not any(where.contains(toolkit.version) for toolkit in toolkits):
                row.fault("toolkits", f"`{where}` matches no toolkit of this file")
        self._languages = _languages(root)
        finish(root, path)
        self._toolkits = {toolkit.version: toolkit for toolkit in toolkits}

    @property
    def all(self) -> tuple[Toolkit, ...]:
        """Every toolkit, oldest first."""
        return tuple(self._toolkits.values())

    def toolkit(self, version: Version) -> Toolkit | None:
        """The toolkit `X.Y`; ``None`` if it is not known or only a major is given (as by TensorFlow 2.2)."""
        return self._toolkits.get(version) if len(version.release) == 2 else None

    def ptx_of(self, toolkit: Toolkit) -> Version | None:
        """The newest version of PTX that a toolkit writes and its driver reads; ``None`` if not known."""
        known = [language for language, first in self._languages.items() if first <= toolkit.version]
        later = any(first >= toolkit.version for first in self._languages.values())
        return max(known) if known and later else None

    def reads(self, language: Version) -> Toolkit | None:
        """The first toolkit that reads a version of the PTX language; ``None`` if it is not known."""
        first = self._languages.get(language)
        return next((each for each in self.all if first is not None and each.version >= first), None)

    def first_for(self, capability: ComputeCapability) -> Toolkit | None:
        """The first toolkit that compiles for GPUs of exactly this capability; ``None`` if none does."""
        return next((each for each in self.all if any(a.capability == capability for a in each.targets)), None)

    def of_wheel(self, project: str, version: Version) -> Toolkit | None:
        """The toolkit whose runtime a wheel carries, such as 12.9 for `nvidia-cuda-runtime-cu12` 12.9.79.

        Only the runtime, NVRTC, CUPTI, nvJitLink and NVCC wheels are numbered like the toolkit; the others (cuBLAS,
        cuFFT…) have versions of their own and give ``None``.
        """
        stem, _, suffix = canonicalize_name(project).rpartition("-cu")
        name = stem if suffix.isdigit() else canonicalize_name(project)
        return self.toolkit(Version(f"{version.major}.{version.minor}")) if name in _NUMBERED_LIKE_TOOLKIT else None


_NUMBERED_LIKE_TOOLKIT = frozenset(
    {
        "nvidia-cuda-cupti",
        "nvidia-cuda-nvcc",
        "nvidia-cuda-nvrtc",
        "nvidia-cuda-runtime",
        "nvidia-nvjitlink",
    }
)


def _floor(row: Row) -> tuple[int, Version, Version]:
    """A major of CUDA with its lowest drivers, for Linux and for Windows."""
    row.source()
    row.tier()
    return row.number("major"), row.version("linux"), row.version("windows")


def _languages(root: Row) -> dict[Version, Version]:
    """Versions of the PTX language, and the release of CUDA that each came with; oldest first."""

    def language(row: Row) -> tuple[Version, Version]:
        row.source()
        row.tier()
        return row.version("version"), row.version("cuda")

    rows = root.pairs("ptx", language)
    for (_, before), (row, after) in pairwise(rows):
        if after <= before or after[1] <= before[1]:
            row.fault("version", f"{after[0]} does not come after {before[0]}")
    return dict(found for _, found in rows)


def _library(row: Row) -> tuple[SpecifierSet, Library]:
    row.tier()
    library = Library(
        name=row.text("name"),
        soname=row.text("soname"),
        windows=row.maybe_text("windows"),
        wheel=row.maybe_text("wheel"),
        source=row.source(),
    )
    return row.specifiers("toolkits"), library


def _toolkit(
    row: Row, floors: dict[int, tuple[Version, Version]], libraries: tuple[tuple[SpecifierSet, Library], ...]
) -> Toolkit:
    row.tier()
    version = row.version("version")
    if len(version.release) != 2:
        row.fault("version", "`X.Y` is wanted")
    linux, windows = floors.get(version.major, (None, None))
    if linux is None and version.major >= 11:
        row.fault("version", f"no [[compatibility]] row for major {version.major}")
    own = tuple(library for where, library in libraries if where.contains(version))
    names = [library.name for library in own]
    for name in sorted({name for name in names if names.count(name) > 1}):
        row.fault("version", f"more than one [[library]] row for `{name}`")
    targets = row.architectures("targets")
    if not targets:
        row.fault("targets", "empty")
    return Toolkit(
        version=version,
        driver_linux=row.maybe_version("driver_linux"),
        driver_windows=row.maybe_version("driver_windows"),
        compat_linux=linux,
        compat_windows=windows,
        targets=targets,
        libraries=own,
        source=row.source(),
        targets_source=row.source("targets_source"),
    )
