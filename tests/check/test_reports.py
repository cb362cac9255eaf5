"""Reports from public issue trackers: the cause that was found comes first, and what repaired it is among the fixes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.workflow.check import judged
from tfenv.workflow.gather import read

if TYPE_CHECKING:
    from tfenv.model.report import Fix

_CASES = [
    report
    for path in sorted((Path(__file__).parent / "cases").glob("reports*.toml"))
    for report in tomllib.loads(path.read_text(encoding="utf-8"))["report"]
]
REPORTS = [
    # every fourth one is fast enough for each run; CI runs them all
    pytest.param(report, id="/".join(report["url"].split("/")[3:]), marks=() if number % 4 == 0 else (pytest.mark.ci,))
    for number, report in enumerate(_CASES)
]
FILES = {"dockerfile": "Dockerfile", "freeze": "freeze.txt", "environment": "environment.yml"}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The facts that come with tfenv, without an index."""
    return Knowledge(load())


@pytest.mark.parametrize("report", REPORTS)
def test_report(report: dict[str, Any], knowledge: Knowledge, tmp_path: Path) -> None:
    """The reported cause first, and the fix that resolved it among the fixes; no cause where there was none."""
    said = configuration.loads(json.dumps(report.get("input", {})), "report")
    for key, name in FILES.items():
        if key in report:
            (tmp_path / name).write_text(report[key].lstrip(), encoding="utf-8")
            said = configuration.merge(said, read(tmp_path / name, knowledge.database, said.machine))
    verdict = judged(said, knowledge, log=report.get("log"))
    if "verdict" in report:
        assert str(verdict.answer) in report["verdict"], verdict
        return
    assert verdict.problems, verdict
    first = verdict.problems[0]
    assert first.code in ([report["first"]] if isinstance(report["first"], str) else report["first"]), verdict
    if "fix" in report:
        key, value = report["fix"]
        assert any(_repairs(fix, key, value) for fix in first.fixes), first.fixes


def _repairs(fix: Fix, key: str, value: str) -> bool:
    """Is this what the reporter did, or what allows it? A lower driver counts, of others the series."""
    if key == "advice":
        return value.lower() in fix.command.lower()
    changes = dict(fix.change)
    if key not in changes:
        return False
    if value[0] in "<>=!":
        return SpecifierSet(value).contains(changes[key])
    try:
        offered, done = Version(changes[key]), Version(value)
    except InvalidVersion:
        return changes[key] == value or SpecifierSet(changes[key]).contains(value)
    if key in ("tf", "python"):
        return offered.release[:2] == done.release[:2]
    if key.startswith("packages."):  # any release of the series repairs it, if it is one that TensorFlow allows
        return offered.major == done.major
    if key in ("driver", "cudnn", "cuda"):
        return (offered <= done and offered.major == done.major) or (key == "driver" and offered <= done)
    return offered == done


def test_there_are_enough_reports() -> None:
    """At least 200, no two of one thread."""
    assert len({report.id for report in REPORTS}) == len(REPORTS) >= 200
