"""What the tests of this folder share: the database, and a text read as a file of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts.database import load
from tfenv.infer.answer import Pairs, answer
from tfenv.infer.python import reader
from tfenv.infer.surface import Surface
from tfenv.symbols import database as symbols
from tfenv.workflow.infer import pythons

if TYPE_CHECKING:
    from tfenv.model.inferred import Inferred

DATABASE = load()
SYMBOLS = symbols.load()
SURFACE = Surface(SYMBOLS.api, SYMBOLS.modules)
PAIRS = Pairs(SURFACE, pythons(DATABASE))
KEPT = ("1.15", "2.0", "2.10", "2.15", "2.16", "2.20")
"""Releases that cases tell of."""


def infer_text(code: str, *, local: frozenset[str] = frozenset(), file: str = "code.py") -> Inferred:
    """The answer for one file."""
    reading = reader.read(code, file, SURFACE.releases, local)
    return answer([reading], table=SYMBOLS.api, rules=DATABASE.habits, pairs=PAIRS)


def infer_files(files: dict[str, str]) -> Inferred:
    """The answer for several files."""
    readings = [reader.read(code, name, SURFACE.releases) for name, code in files.items()]
    return answer(readings, table=SYMBOLS.api, rules=DATABASE.habits, pairs=PAIRS)
