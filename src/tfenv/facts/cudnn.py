"""cuDNN: the CUDA majors it is built for, the GPUs it holds code for, releases known to fail (`cudnn.toml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.facts.rows import covering, finish, read

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row
    from tfenv.model.hardware import Architecture, ComputeCapability


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBad:
    """Releases that were seen to fail.

    Attributes:
        versions: releases that fail.
        capabilities: compute capabilities of the GPUs on which it was seen; empty for all.
        reason: reason in one clause.
        source: page that reports it.
    """

    versions: SpecifierSet
    capabilities: tuple[ComputeCapability, ...]
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cudnn:
    """Facts about a range of cuDNN releases built for one major version of CUDA.

    Attributes:
        versions: releases for which the row holds.
        cuda_major: major version of CUDA that it is built for.
        cuda_majors: all major versions of CUDA for which the same releases are published, ascending.
        sass: architectures with machine code in its kernels, on x86-64; empty if only the lowest is known.
        ptx: architectures with PTX in its kernels, or the lowest supported one.
        soname: soname of the library that programs open.
        windows: name of its DLL.
        wheel: project on PyPI that contains it, or ``None``.
        releases: full versions of published releases, ascending.
        known_bad: known failure of the requested version, or ``None``.
        source: filenames and hashes of wheels, or a page.
        tier: how well it is proven.
    """

    versions: SpecifierSet
    cuda_major: int
    cuda_majors: tuple[int, ...]
    sass: tuple[Architecture, ...]
    ptx: tuple[Architecture, ...]
    soname: str
    windows: str | None
    wheel: str | None
    releases: tuple[Version, ...]
    known_bad: KnownBad | None
    source: str
    tier: str

    def runs_on(self, gpu: ComputeCapability) -> bool:
        """Whether it has code that this GPU executes, as machine code or compiled from PTX."""
        return any(one.sass_runs_on(gpu) for one in self.sass) or any(one.ptx_runs_on(gpu) for one in self.ptx)


class CudnnTable:
    """All releases of cuDNN."""

    def __init__(self, path: Path) -> None:
        """Read `cudnn.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        pairs, known_bad = root.pairs("cudnn", _cudnn), root.pairs("known_bad", _known_bad)
        self._rows = tuple(one for _, one in pairs)
        self._known_bad = tuple(bad for _, bad in known_bad)
        for row, one in pairs:
            same = [other.versions for other in self._rows if other.cuda_major == one.cuda_major]
            for release in one.releases:
                if not one.versions.contains(release):
                    row.fault("releases", f"{release} is not in `{one.versions}`")
                if sum(versions.contains(release) for versions in same) > 1:
                    row.fault("versions", f"another row for CUDA {one.cuda_major} holds {release} too")
        for row, bad in known_bad:
            if not any(bad.versions.contains(release) for one in self._rows for release in one.releases):
                row.fault("versions", f"`{bad.versions}` matches no release of this file")
        finish(root, path)

    @property
    def all(self) -> tuple[Cudnn, ...]:
        """Every row, in the order of the file."""
        return self._rows

    def row(self, version: Version, cuda_major: int) -> Cudnn | None:
        """The facts about a release built for a major version of CUDA; ``None`` if it is not known.

        A release between two known ones follows its range; one newer than all known ones is unknown.
        """
        rows = tuple(covering(self._rows, version))
        one = next((row for row in rows if row.cuda_major == cuda_major), None)
        if one is None:
            return None
        bad = next(covering(self._known_bad, version), None)
        return replace(one, known_bad=bad, cuda_majors=tuple(sorted({row.cuda_major for row in rows})))


def _cudnn(row: Row) -> Cudnn:
    major = row.number("cuda")
    releases = row.versions("releases")
    if not releases:
        row.fault("releases", "a range must match at least one release")
    sass, ptx = row.architectures("sass"), row.architectures("ptx")
    if not sass and not ptx:
        row.fault("sass", "empty, and `ptx` too")
    return Cudnn(
        versions=row.specifiers("versions"),
        cuda_major=major,
        cuda_majors=(major,),
        sass=sass,
        ptx=ptx,
        soname=row.text("soname"),
        windows=row.maybe_text("windows"),
        wheel=row.maybe_text("wheel"),
        releases=releases,
        known_bad=None,
        source=row.source(),
        tier=row.tier(),
    )


def _known_bad(row: Row) -> KnownBad:
    row.tier()
    return KnownBad(
        versions=row.specifiers("versions"),
        capabilities=tuple(one.capability for one in row.architectures("capabilities")),
        reason=row.text("reason"),
        source=row.source(),
    )
