"""TensorFlow for AMD GPUs: the releases of `tensorflow-rocm`, and the ROCm each was built with (`rocm.toml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.facts.rows import finish, read

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RocmRow:
    """One release of `tensorflow-rocm`.

    Attributes:
        version: version of the distribution.
        tensorflow: release of TensorFlow in it.
        rocm: ROCm that it was built with and a machine must have: `X.Y` or `X.Y.Z`.
        source: wheel that was read.
        gfx: targets for which it has kernels and which it accepts; empty if its libraries were not read.
        refused: targets for which it has kernels but which it rejects.
        gfx_source: wheel whose libraries were read; empty if none was.
        later: this release or the next one by ROCm whose libraries were read; ``None`` if there is none.
    """

    version: Version
    tensorflow: Version
    rocm: Version
    source: str
    gfx: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    gfx_source: str = ""
    later: RocmRow | None = None

    @property
    def series(self) -> str:
        """The ROCm as `X.Y`; updates of one release are compatible."""
        return f"{self.rocm.major}.{self.rocm.minor}"


class RocmTable:
    """All known releases.

    Attributes:
        all: releases in the order of the file: newest first.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/rocm.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        found: dict[Version, RocmRow] = {}
        for row, release in root.pairs("rocm", _row):
            if release.version in found:
                row.fault("version", f"`{release.version}` has a row already")
            found[release.version] = release
        finish(root, path)
        read_rows = sorted((row for row in found.values() if row.gfx), key=lambda row: (row.rocm, row.tensorflow))
        self.all = tuple(
            replace(row, later=next((one for one in read_rows if one.rocm >= row.rocm), None)) for row in found.values()
        )

    def row(self, version: Version) -> RocmRow | None:
        """One release of `tensorflow-rocm`; ``None`` if not known."""
        return next((row for row in self.all if row.version == version), None)

    def serving(self, gfx: str) -> tuple[RocmRow, str] | None:
        """The newest release that accepts a target, or the nearest one of its generation, and that target."""
        kin = sorted({each for row in self.all for each in row.gfx if is_kin(each, gfx)}, key=lambda each: each != gfx)
        return next(((row, each) for each in kin for row in self.all if each in row.gfx), None)


def is_kin(one: str, other: str) -> bool:
    """Whether two targets are of one generation, so that code for one may run on the other (`gfx1100`, `gfx1102`)."""
    return one[:-1] == other[:-1] and len(one) == len(other)


def override(gfx: str) -> str:
    """The setting that makes ROCm take a GPU for another target: `HSA_OVERRIDE_GFX_VERSION=11.0.0` for `gfx1100`.

    Source: https://rocm.docs.amd.com/en/latest/how-to/system-debugging.html
    """
    digits = gfx.removeprefix("gfx")
    return f"HSA_OVERRIDE_GFX_VERSION={int(digits[:-2])}.{int(digits[-2], 16)}.{int(digits[-1], 16)}"


def _row(row: Row) -> RocmRow:
    row.tier()
    return RocmRow(
        version=row.version("version"),
        tensorflow=row.version("tensorflow"),
        rocm=row.version("rocm"),
        source=row.source(),
        gfx=row.texts("gfx"),
        refused=row.texts("refused"),
        gfx_source=row.maybe_text("gfx_source") or "",
    )
