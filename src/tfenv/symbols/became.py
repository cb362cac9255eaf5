"""Replacements of symbols: TensorFlow's own tables (`renames.txt`), and curated rows with sources (`became.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tfenv.facts.location import damaged
from tfenv.facts.rows import finish, read
from tfenv.model.document import text

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """The replacement of a symbol.

    Attributes:
        symbol: old name.
        now: new name, fully dotted (`tf.compat.v1.placeholder`, `tf_slim.flatten`); empty if there is no
            replacement.
        package: distribution that has it, if that is not TensorFlow.
        note: one clause about the differences; often empty.
        source: wheel or page that documents the replacement.
    """

    symbol: str
    now: str
    package: str = ""
    note: str = ""
    source: str = ""


class BecameTable:
    """Replacements by old name; a curated row overrides TensorFlow's table, which often names only `tf.compat.v1`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, name: str) -> Became | None:
        """The row of a symbol (`tf.…` or `keras.…`), otherwise of the nearest name above it that was moved."""
        name = f"tf.{name.removeprefix('tensorflow.')}" if name.startswith("tensorflow.") else name
        found = self.curated.get(name) or self.renames.get(name)
        if found is not None:
            return found
        above, _, last = name.rpartition(".")
        rest = f".{last}"
        while above:
            row = self.curated.get(f"{above}.*")
            if row is not None:
                now = f"{row.now.removesuffix('.*')}{rest}" if row.now.endswith(".*") else row.now
                return Became(symbol=name, now=now, package=row.package, note=row.note, source=row.source)
            above, _, last = above.rpartition(".")
            rest = f".{last}{rest}"
        return None

    @cached_property
    def curated(self) -> dict[str, Became]:
        """The rows of `became.toml`; a symbol that ends in `.*` covers all below it."""
        path = self._directory / "became.toml"
        root = read(path)
        sources = root.table("sources")
        found = root.rows("row", lambda row: _became(row, sources))
        finish(root, path)
        return {became.symbol: became for row in found for became in row}

    @cached_property
    def renames(self) -> dict[str, Became]:
        """Renames of TensorFlow's upgrade script: lines of old name, new name, after a line that names the source."""
        path = self._directory / "renames.txt"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise damaged(path, error) from None
        source, found = "", {}
        for line in lines:
            if line.startswith("source\t"):
                source = line.partition("\t")[2]
            elif line and not line.startswith("#"):
                old, _, now = line.partition("\t")
                package = "tensorflow-addons" if now.startswith("tfa.") else ""
                now = f"tensorflow_addons{now.removeprefix('tfa')}" if package else now
                found[old] = Became(symbol=old, now=now, package=package, source=source)
        return found


def _became(row: Row, sources: Row) -> tuple[Became, ...]:
    """The replacements of the symbols of a row."""
    now, package, note = (row.get(key, text) or "" for key in ("now", "package", "note"))
    source = sources.text(row.text("source"))
    return tuple(
        Became(symbol=symbol, now=now, package=package, note=note, source=source) for symbol in row.some("symbols")
    )
