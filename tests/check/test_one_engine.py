"""`lock` refuses with the fixes that `check` shows, and `check` assumes no Python that makes a problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.resolver.test_unsolvable import unsolvable
from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.model.report import Answer, Verdict
from tfenv.workflow.check import judged

UNSOLVABLE = Path(__file__).parent.parent / "resolver" / "unsolvable"
KNOWLEDGE = Knowledge(load())


def checked(document: dict[str, Any]) -> Verdict:
    """The verdict of `check` without an index."""
    return judged(configuration.loads(json.dumps(document), "document"), KNOWLEDGE)


@pytest.mark.parametrize(
    ("case", "document"),
    [
        ("h100_old_driver", {"tf": "2.15", "gpu": "H100", "driver": "525.60.13"}),
        ("python_3_7", {"tf": "2.12", "python": "3.7"}),
    ],
)
def test_lock_shows_the_first_fix_of_check(case: str, document: dict[str, Any]) -> None:
    """The cheapest change is the same, whichever of the two is asked."""
    refused = unsolvable(UNSOLVABLE / f"{case}.toml").fixes
    assert refused[0].change == checked(document).problems[0].fixes[0].change


def test_a_driver_branch_serves_the_gpu_where_no_release_is_named() -> None:
    """The branch that is suggested for a K80 is the last one that serves it, not the newest of all."""
    fixes = checked({"gpu": "K80", "driver": "550.54.15"}).problems[0].fixes
    assert [fix.change for fix in fixes] == [(("driver", "470"),)]


def test_a_release_that_does_not_exist_has_a_fix() -> None:
    """The nearest release is suggested instead, solved."""
    fix = checked({"tf": "2.99", "python": "3.12", "gpu": "none"}).problems[0].fixes[0]
    assert dict(fix.change)["tf"].startswith("2.")
    assert fix.solved


@pytest.mark.parametrize("packages", [{"numba": "0.53.1"}, {"scipy": "1.5.4", "numba": "0.53.1"}])
def test_no_python_is_assumed_that_makes_a_problem(packages: dict[str, str]) -> None:
    """Packages that share some Python are not broken for want of a wheel; the Python is unknown."""
    verdict = checked({"packages": packages})
    assert verdict.answer is Answer.UNKNOWN
    assert "python" in verdict.unknown
