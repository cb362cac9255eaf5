"""The truth table: releases, GPUs, drivers, CUDA and cuDNN that are known to work together, or not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tfenv.check.knowledge import Knowledge
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.workflow.check import judged

ROWS = tomllib.loads((Path(__file__).parent / "cases" / "truth.toml").read_text(encoding="utf-8"))["row"]
_INPUT = ("tf", "python", "gpu", "gpus", "driver", "cuda", "cudnn", "os", "arch")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The facts that come with tfenv, without an index."""
    return Knowledge(load())


def _name(row: dict[str, Any]) -> str:
    return " ".join(str(row[key]) for key in _INPUT if key in row)


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_row(row: dict[str, Any], knowledge: Knowledge) -> None:
    """The verdict is the one that the row's source tells."""
    said = configuration.loads(json.dumps({key: row[key] for key in _INPUT if key in row}), "row")
    verdict = judged(said, knowledge) if "fix" in row else judge(ask(said, knowledge.database), knowledge)
    assert str(verdict.answer) == row["verdict"], verdict
    if "first" in row:
        assert verdict.problems[0].code == row["first"], verdict
    if "subject" in row:
        assert verdict.problems[0].subject == row["subject"]
    if "warns" in row:
        assert row["warns"] in {caution.code for caution in verdict.warnings}
    if "unknown" in row:
        assert row["unknown"] in {line.partition(":")[0] for line in verdict.unknown}
    if "fix" in row:
        releases = [value for fix in verdict.problems[0].fixes for key, value in fix.change if key == "tf"]
        assert any(release.startswith(f"{row['fix']}.") for release in releases), releases


def test_there_are_enough_rows_each_with_a_source() -> None:
    """At least 120 rows, no two alike, each with the page that says so."""
    assert len({json.dumps(row, sort_keys=True) for row in ROWS}) == len(ROWS) >= 120
    assert all(row["source"].startswith("https://") for row in ROWS)
