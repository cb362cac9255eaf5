"""A first fix, applied to what was asked, ends the problem."""

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

ROWS = tomllib.loads((Path(__file__).parent / "cases" / "truth.toml").read_text(encoding="utf-8"))["row"]
KEYS = ("tf", "python", "gpu", "gpus", "driver", "cuda", "cudnn", "os", "arch")
KNOWLEDGE = Knowledge(load())


@pytest.mark.ci
@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["verdict"] == "broken"][::3],
    ids=lambda row: " ".join(str(row[key]) for key in KEYS if key in row),
)
def test_the_first_fix_ends_the_problem(row: dict[str, Any]) -> None:
    """What the first fix changes is changed, and nothing is broken any more; without a fix there is advice."""
    said = {key: row[key] for key in KEYS if key in row}
    verdict = judged(configuration.loads(json.dumps(said), "row"), KNOWLEDGE)
    assert verdict.answer is Answer.BROKEN
    fixes = verdict.problems[0].fixes
    if not fixes or not fixes[0].change:
        assert row["first"] in ("platform-no-gpu", "platform-no-wheel", "gpu-too-new", "gpu-too-old", "tf-unknown"), row
        return
    packages = {}
    for key, value in fixes[0].change:
        if key.startswith("packages."):
            packages[key.removeprefix("packages.")] = value
        else:
            said[key] = value
    again = judged(configuration.loads(json.dumps({**said, "packages": packages}), "row"), KNOWLEDGE)
    assert again.answer is not Answer.BROKEN, (fixes[0], again)
