"""`lock` and `check` agree about random machines and environments, and the first fix of a problem ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.agreement import contradictions, question

if TYPE_CHECKING:
    from tests.support.agreement import Contradiction

SEED = "agreement"


def found(numbers: range) -> list[Contradiction]:
    """All contradictions of some questions."""
    return [one for number in numbers for one in contradictions(question(number, SEED))]


def shown(contradictions: list[Contradiction]) -> str:
    """How often each kind occurs, and the first of each."""
    first = {one.kind: one for one in reversed(contradictions)}
    return "\n".join(f"{sum(one.kind == kind for one in contradictions)} x {one}" for kind, one in first.items())


@pytest.mark.ci
def test_500_questions() -> None:
    """500 questions from the rows that come with tfenv: no contradiction."""
    contradicted = found(range(500))
    assert not contradicted, shown(contradicted)


@pytest.mark.slow
def test_10000_questions() -> None:
    """10,000 questions: no contradiction."""
    contradicted = found(range(10_000))
    assert not contradicted, shown(contradicted)


def test_questions_are_reproducible() -> None:
    """A question depends on its number and the seed alone."""
    assert question(7, SEED) == question(7, SEED) != question(9, SEED)
