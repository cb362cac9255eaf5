"""`lock` and `check` agree about random machines and environments, and the first fix of a problem ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.agreement import contradictions, question

if TYPE_CHECKING:
    from tests.support.agreement import Contradiction

SEED = "agreement"
KNOWN: dict[str, str] = {
    "lock refuses what check says works": "question 401, Python 3.5 on macOS, tensorflow-hub: the cause is not known",
    "lock refuses the first fix of python-no-wheel": "2 of 500, with tensorflow-hub 0.16.0: cause not known",
}
"""Kinds of contradictions that are left, each with its reason; one that no longer occurs fails the long test."""


def found(numbers: range) -> list[Contradiction]:
    """All contradictions of some questions."""
    return [one for number in numbers for one in contradictions(question(number, SEED))]


def shown(contradictions: list[Contradiction]) -> str:
    """How often each kind occurs, and the first of each."""
    first = {one.kind: one for one in reversed(contradictions)}
    return "\n".join(f"{sum(one.kind == kind for one in contradictions)} x {one}" for kind, one in first.items())


@pytest.mark.ci
def test_500_questions() -> None:
    """500 questions from the rows that come with tfenv: no contradiction of another kind than the known ones."""
    new = [one for one in found(range(500)) if one.kind not in KNOWN]
    assert not new, shown(new)


@pytest.mark.slow
def test_10000_questions() -> None:
    """10,000 questions: no contradiction of another kind than the known ones, and each known kind still occurs."""
    every = found(range(10_000))
    new = [one for one in every if one.kind not in KNOWN]
    assert not new, shown(new)
    assert {one.kind for one in every} == set(KNOWN)


def test_questions_are_reproducible() -> None:
    """A question depends on its number and the seed alone."""
    assert question(7, SEED) == question(7, SEED) != question(9, SEED)
