"""Compiler options of custom ops for each release, as its `tf.sysconfig` reports them (`compile.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tfenv.facts.rows import covering, load
from tfenv.model.builds import CompileFlags

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.facts.rows import Row

_NEW_ABI: Final = "-D_GLIBCXX_USE_CXX11_ABI=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileRow:
    """Compiler options for some releases, from their wheels for Linux on x86-64.

    Attributes:
        versions: releases of TensorFlow.
        flags: compiler options.
        source: wheel that was read.
    """

    versions: SpecifierSet
    flags: CompileFlags
    source: str

    @property
    def cxx11(self) -> bool:
        """Whether the releases use the C++11 ABI of libstdc++."""
        return _NEW_ABI in self.flags.compiler


class CompileTable:
    """The rows, oldest first.

    Raises:
        UsageError: the file has faults; all are named.
    """

    def __init__(self, path: Path) -> None:
        self.rows = load(path, "release", _row)

    def of(self, release: Version) -> CompileRow | None:
        """The row of a release; ``None`` if there is none."""
        return next(covering(self.rows, release), None)


def _row(row: Row) -> CompileRow:
    row.tier()
    flags = CompileFlags(compiler=row.texts("compiler"), include=row.texts("include"), library=row.text("library"))
    return CompileRow(versions=row.specifiers("versions"), flags=flags, source=row.source())
