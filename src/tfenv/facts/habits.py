"""Ways of writing code that some releases reject although every name exists: `constraints/facts/habits.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.facts.rows import finish, read
from tfenv.model.document import flag, text

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitRow:
    """A way of writing code that some releases reject.

    Attributes:
        id: name that `tfenv.infer.python.recognizers` uses for it.
        broken: releases of TensorFlow that reject it.
        legacy: whether TF_USE_LEGACY_KERAS=1 brings it back.
        now: replacement in current code.
        note: one clause about the failure.
        source: page or file that documents it.
    """

    id: str
    broken: SpecifierSet
    legacy: bool
    now: str
    note: str
    source: str


class HabitTable:
    """All such ways of writing code.

    Attributes:
        rows: rows by id.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/habits.toml`.

        Raises:
            UsageError: with every row that is wrong.
        """
        root = read(path)
        self.rows: dict[str, HabitRow] = {}
        for row, habit in root.pairs("habit", _habit):
            if habit.id in self.rows:
                row.fault("id", f"`{habit.id}` has a row already")
            self.rows[habit.id] = habit
        finish(root, path)


def _habit(row: Row) -> HabitRow:
    row.tier()
    return HabitRow(
        id=row.text("id"),
        broken=row.specifiers("broken"),
        legacy=row.need("legacy", flag),
        now=row.need("now", text),
        note=row.text("note"),
        source=row.source(),
    )
