"""The tables of `constraints/symbols/`, each read on first use."""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tfenv.facts.location import in_use

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.symbols.exports import Exports
    from tfenv.symbols.modules import ModuleRanges
    from tfenv.symbols.table import ApiTable


class Symbols:
    """Symbols that programs can import, call and link against in each release; each table is read on first use."""

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

    def check(self) -> None:
        """Open every table; of the public symbols, only the files that every query reads.

        Raises:
            UsageError: a table has faults.
        """
        for name in ("tf.Session", "keras.Model"):
            self.api.symbol(name)
        self.api.became("tf.contrib")
        self.exports.has_cc(self.exports.releases[-1])
        self.modules.having("tensorflow.python")

    @cached_property
    def version(self) -> str:
        """A digest of all rows without comments: 12 hex digits."""
        digest = hashlib.sha256()
        for path in sorted(self.root.rglob("*.t*"), key=lambda path: path.relative_to(self.root).as_posix()):
            content = path.read_bytes()
            while content.startswith(b"#"):
                content = content.partition(b"\n")[2]
            digest.update(f"{path.relative_to(self.root).as_posix()} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()[:12]


def load() -> Symbols:
    """The tables in use. Each is read on first use and kept for later calls.

    Raises:
        UsageError: the tables are missing, or those of the user are damaged.
    """
    return _opened(in_use().root / "symbols")


@lru_cache(maxsize=1)
def _opened(root: Path) -> Symbols:
    return Symbols(root)
