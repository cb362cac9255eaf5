"""Configurations that are known to work: no false alarm."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.model.report import Answer
from tfenv.workflow.check import judged

WORKING = tomllib.loads((Path(__file__).parent / "cases" / "works.toml").read_text(encoding="utf-8"))["works"]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The facts that come with tfenv, without an index."""
    return Knowledge(load())


@pytest.mark.parametrize("row", WORKING, ids=lambda row: " ".join(map(str, list(row["input"].values())[:5])))
def test_works(row: dict[str, Any], knowledge: Knowledge) -> None:
    """What worked for people works."""
    verdict = judged(configuration.loads(json.dumps(row["input"]), "row"), knowledge)
    assert verdict.answer is Answer.WORKS, verdict


def test_there_are_enough() -> None:
    """At least 30, each with its source."""
    assert len(WORKING) >= 30
    assert all(row["source"].startswith("https://") for row in WORKING)
