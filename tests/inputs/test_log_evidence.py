"""Readers of logs: one case is a log, and what it proves."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tfenv.facts.database import Database, load
from tfenv.inputs.log import read

if TYPE_CHECKING:
    from tfenv.model.evidence import Evidence, Symptom

CASES = tomllib.loads((Path(__file__).parent / "logs.toml").read_text(encoding="utf-8"))["case"]


@pytest.fixture(scope="module")
def database() -> Database:
    """The facts that come with tfenv."""
    return load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_case(case: dict[str, Any], database: Database) -> None:
    """The symptom, what would repair it, the facts and the lines nobody understood are those of the case."""
    evidence = read(case["log"], database)
    for name, value in case.get("facts", {}).items():
        assert _fact(evidence, name) == value, evidence.facts
    if "strangers" in case:
        assert list(evidence.strangers) == case["strangers"]
    if case.get("code") == "":
        assert not evidence.symptoms
    elif "code" in case:
        found = [symptom for symptom in evidence.symptoms if symptom.code == case["code"]]
        assert found, evidence.symptoms
        assert {key: _text(found[0], key) for key in case["symptom"]} == case["symptom"]


def _fact(evidence: Evidence, name: str) -> str:
    """A fact of the configuration, as text."""
    if name.startswith("packages."):
        return str(evidence.facts.package(name.removeprefix("packages.")))
    known = evidence.facts
    return str(getattr(known.machine if hasattr(known.machine, name) else known, name))


def _text(symptom: Symptom, name: str) -> str:
    """A field of a symptom, as text."""
    return str(getattr(symptom, name))


def test_nothing_raw(database: Database) -> None:
    """No control character of a log reaches what is shown."""
    evidence = read("\x1b[31mKilled\x1b[0m \x9b\u202e\x07process\n", database)
    assert evidence.strangers == ("Killed process",)
