"""Facts that `build_info.py` of some wheels omits: the rows of `constraints/facts/tensorflow/silent.toml`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.facts import rows
from tfenv.model.builds import Build
from tfenv.model.document import of, one_of
from tfenv.model.hardware import Architecture
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row

FIELDS = ("cuda", "cudnn", "cudnn_floor", "sass", "ptx")
"""Fields that every CUDA build has; `Build.unknown` lists those that no source gives."""

_FILLED = (*FIELDS, "xla_newest", "raised")


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentRow:
    """One claim about the CUDA builds of some versions, of whichever distribution.

    Attributes:
        versions: versions that it applies to.
        build: platform, known fields, and `evidence` for them.
    """

    versions: SpecifierSet
    build: Build


def load(path: Path) -> tuple[SilentRow, ...]:
    """Read the rows.

    Raises:
        UsageError: the file is damaged; all faults are named.
    """
    return rows.load(path, "silent", _row)


def complete(build: Build, version: Version, silent: Iterable[SilentRow]) -> Build:
    """Fill in what `build_info.py` and `cuda_config.h` omit, and list what remains unknown.

    The code in the libraries of the wheel comes first, where it was read, then rows.
    Values of the wheel are kept, but a more precise version (`10.1`) replaces a less precise one (`10`). Fields that
    were filled in before are filled in again.
    """
    if not build.is_cuda:
        return build
    build = _by_code(build)
    inferred, evidence = list(build.inferred), list(build.evidence)
    for row in silent:
        if row.build.platform is not build.platform or not row.versions.contains(version, prereleases=True):
            continue
        used = False
        for field in _FILLED:
            known, other = getattr(build, field), getattr(row.build, field)
            if other and (not known or (field == "cuda" and str(other).startswith(f"{known}."))):
                build = replace(build, **{field: other})
                inferred.append(field)
                used = True
        if used:
            evidence += row.build.evidence
    return replace(
        build,
        inferred=tuple(field for field in _FILLED if field in inferred),
        evidence=tuple(dict.fromkeys(evidence)),
        unknown=tuple(field for field in FIELDS if not getattr(build, field)),
    )


def strip(build: Build) -> Build:
    """The build with only the complete values of `build_info.py`, as `complete` needs it to start over."""
    if not build.is_cuda:
        return build
    kept = {field: getattr(build, field) for field in FIELDS if field not in (*build.inferred, *build.unknown)}
    return Build(
        platform=build.platform,
        compiler=build.compiler,
        tensorrt=build.tensorrt,
        source=build.source,
        kernels=build.kernels,
        xla=build.xla,
        unknown=() if "cuda" in kept else ("cuda",),
        **kept,
    )


def _by_code(build: Build) -> Build:
    """Add what the code in the libraries shows: the architectures, and those that not all kernels have."""
    if not build.kernels:
        return build
    held = {architecture for kind in build.kernels for architecture in kind.sass}
    ptx = {architecture for kind in build.kernels for architecture in kind.ptx}
    sass = build.sass or tuple(sorted(held))
    return replace(
        build,
        sass=sass,
        ptx=build.ptx or tuple(sorted(ptx)),
        partial=tuple(each for each in sass if any(each not in kind.sass for kind in build.kernels)),
    )


def _row(row: Row) -> SilentRow:
    row.tier()
    known = Build(
        platform=row.need("platform", one_of(Platform)),
        cuda=row.maybe_version("cuda"),
        cudnn=row.maybe_version("cudnn"),
        cudnn_floor=row.maybe_version("cudnn-floor"),
        sass=row.architectures("sass"),
        ptx=row.architectures("ptx"),
        xla_newest=row.get("xla-newest", of(Architecture.parse)),
        raised=row.architectures("raised"),
        evidence=row.some("evidence"),
    )
    return SilentRow(versions=row.specifiers("versions"), build=known)
