"""Ways of writing that some releases refuse although every name exists: rows of `constraints/facts/habits.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.errors import UsageError
from tfenv.model.document import Table, flag, of, text

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitRow:
    """A way of writing.

    Attributes:
        id: what `tfenv.infer.python.habits` knows it by.
        broken: the releases of TensorFlow that refuse it.
        legacy: does TF_USE_LEGACY_KERAS=1 bring it back?
        now: how it is written today.
        note: what happens, in one clause.
        source: the page or file that says so.
    """

    id: str
    broken: SpecifierSet
    legacy: bool
    now: str
    note: str
    source: str


class HabitTable:
    """The rows by id.

    Raises:
        UsageError: the file has faults; all are named.
    """

    def __init__(self, path: Path) -> None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"`{path}` cannot be read: {error}") from None
        root = Table(document)
        self.rows: dict[str, HabitRow] = {}
        for table in root.tables("habit"):
            row = HabitRow(
                id=table.need("id", text),
                broken=table.need("broken", of(SpecifierSet)),
                legacy=table.need("legacy", flag),
                now=table.need("now", text),
                note=table.need("note", text),
                source=table.need("source", text),
            )
            table.close()
            if row.id in self.rows:
                table.fault("id", f"`{row.id}` stands twice")
            self.rows[row.id] = row
        root.close()
        root.refuse(str(path))
