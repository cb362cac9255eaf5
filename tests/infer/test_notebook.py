"""Notebooks: cells, magics, and what is not a notebook."""

from __future__ import annotations

import json

import pytest

from tests.infer.surroundings import DATABASE, PAIRS, SURFACE, SYMBOLS
from tfenv.infer.answer import answer
from tfenv.infer.python import notebook

SESSION = {"cell_type": "code", "source": ["import tensorflow as tf\n", "tf.Session()\n"]}


def _infer(document: object) -> list[tuple[int | None, int, str]]:
    text = document if isinstance(document, str) else json.dumps(document)
    reading = notebook.read(text, "a.ipynb", SURFACE.releases)
    found = answer([reading], table=SYMBOLS.api, rules=DATABASE.habits, pairs=PAIRS)
    return [(one.cell, one.line, one.symbol) for one in found.findings]


def test_findings_are_told_by_cell_and_line() -> None:
    """Cells are counted from 1 on, those of text too."""
    cells = [{"cell_type": "markdown", "source": "# tf.placeholder"}, SESSION]
    assert _infer({"nbformat": 4, "cells": cells}) == [(2, 2, "tf.Session")]


def test_names_are_carried_from_cell_to_cell() -> None:
    """An import in one cell, its use in another."""
    cells = [
        {"cell_type": "code", "source": "import tensorflow as tf"},
        {"cell_type": "code", "source": "tf.Session()"},
    ]
    assert _infer({"cells": cells}) == [(2, 1, "tf.Session")]


@pytest.mark.parametrize(
    "magic",
    [
        "%tensorflow_version 2.x\n",
        "!pip install \\\n  tensorflow\n",
        "files = !ls\n",
        "%%bash\ntf.placeholder\n",
        "tf?\n",
        "if True:\n  !ls\n",
    ],
)
def test_magics_are_no_code(magic: str) -> None:
    """What only Jupyter understands hides nothing of the rest."""
    assert _infer({"cells": [{"cell_type": "code", "source": magic}, SESSION]}) == [(2, 2, "tf.Session")]


def test_worksheets_of_version_3() -> None:
    """Old notebooks hold their cells in worksheets, their code in `input`."""
    cell = {"cell_type": "code", "input": SESSION["source"]}
    assert _infer({"nbformat": 3, "worksheets": [{"cells": [cell]}]}) == [(1, 2, "tf.Session")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 1}', "[" * 100_000, '{"worksheets": [1]}'])
def test_what_is_no_notebook(text: str) -> None:
    """It is said, and nothing else happens."""
    reading = notebook.read(text, "a.ipynb", SURFACE.releases)
    assert len(reading.unread) == 1
    assert "`a.ipynb` is not a notebook" in reading.unread[0]


def test_strange_cells_are_left_out() -> None:
    """Cells and lines of other types."""
    cells = [1, {"cell_type": "code"}, {"cell_type": "code", "source": [1, None]}, {"cell_type": "code", "source": 1}]
    assert _infer({"cells": [*cells, SESSION]}) == [(5, 2, "tf.Session")]
