"""The tables of `constraints/symbols/`, read when they are asked for."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from tfenv.facts.database import data

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.symbols.exports import Exports
    from tfenv.symbols.modules import ModuleRanges
    from tfenv.symbols.table import ApiTable


class Symbols:
    """What each release lets programs import, call and link against; each table is read on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def api(self) -> ApiTable:
        """Public symbols of TensorFlow and Keras."""
        from tfenv.symbols.table import ApiTable

        return ApiTable(self.root / "api")

    @cached_property
    def exports(self) -> Exports:
        """Symbols that TensorFlow's libraries export to custom ops."""
        from tfenv.symbols.exports import Exports

        return Exports(self.root / "exports.txt")

    @cached_property
    def modules(self) -> ModuleRanges:
        """Private modules in the wheels of TensorFlow."""
        from tfenv.symbols.modules import ModuleRanges

        return ModuleRanges(self.root / "modules.txt")


@cache
def load() -> Symbols:
    """The tables that come with tfenv; nothing is read yet.

    Raises:
        UsageError: they are not there.
    """
    return Symbols(data("symbols"))
