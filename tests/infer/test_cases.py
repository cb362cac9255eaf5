"""Small programs, each a file in `cases`: which releases serve them, and what forces that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.infer.surroundings import DATABASE, KEPT, PAIRS, infer_text

if TYPE_CHECKING:
    from tfenv.model.inferred import Finding

import tomllib

CASES = sorted(Path(__file__).with_name("cases").glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """The releases that serve, and every finding that keeps one of them away, in order."""
    case: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    found = infer_text(case["code"], local=frozenset(case.get("local", ())))
    assert [release for release in found.releases if release in KEPT] == case["serves"], case["description"]
    assert [_told(one) for one in found.findings if _matters(one)] == case.get("finding", [])
    assert list(found.companions) == case.get("companions", [])
    assert list(found.unknown) == case.get("unknown", [])
    assert found.legacy_keras == case.get("legacy", False)
    assert found.conflict == case.get("conflict", False)
    if "python" in case:
        assert found.python == case["python"]


def test_cases_know_their_keys() -> None:
    """A misspelled key would be silently ignored."""
    known = {
        "description",
        "code",
        "local",
        "serves",
        "python",
        "companions",
        "legacy",
        "unknown",
        "finding",
        "conflict",
    }
    for path in CASES:
        assert set(tomllib.loads(path.read_text(encoding="utf-8"))) <= known, path.name


def test_the_kept_releases_are_in_the_table() -> None:
    """Cases tell of releases that the table of symbols has had from the start."""
    assert set(KEPT) <= set(PAIRS.surface.minors)
    assert DATABASE.habits.rows


def _matters(one: Finding) -> bool:
    """Does it keep one of these releases away?"""
    minors = PAIRS.surface.minors
    if one.python or one.first is None or one.last is None:
        return True
    first, last = minors.index(one.first), minors.index(one.last)
    return first > minors.index(KEPT[0]) or last < minors.index(KEPT[-1])


def _told(one: Finding) -> dict[str, object]:
    told = {"line": one.line, "symbol": one.symbol, "guarded": one.guarded, "became": one.became, "legacy": one.legacy}
    return {key: value for key, value in told.items() if value not in (False, None)}
