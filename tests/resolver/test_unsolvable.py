"""Requests that have no solution: what is told of each cannot be less, and what is suggested solves it.

Each file of `unsolvable/` is a request, a target, and an index: its own few files, or the published world.
"""

from __future__ import annotations

import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from tests.resolver.test_cases import PYTHONS, request_of
from tests.support import published
from tests.support.memory import MemorySource
from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.model.package import TENSORFLOW, Requirement
from tfenv.resolver import Conflict, Part, Resolution, explain, resolve, smallest
from tfenv.resolver.partial import PartialSource, Shelf, Versions
from tfenv.resolver.smallest import asks, only, ways
from tfenv.workflow.lock.refusal import Refusal, wrong_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tfenv.model.goal import Goal
    from tfenv.model.report import Fix
    from tfenv.resolver import Source

CASES = sorted((Path(__file__).parent / "unsolvable").glob("*.toml"))
LONG = {"aarch64_gpu", "cuda_13", "freeze_of_two_ages", "mac_gpu"}
"""Cases that take seconds; CI runs them."""
EACH = [pytest.param(path, id=path.stem, marks=(pytest.mark.ci,) if path.stem in LONG else ()) for path in CASES]
MOST = 12


class Unsolvable:
    """A case, read and solved."""

    def __init__(self, path: Path) -> None:
        self.case: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        self.request = request_of(self.case)
        self.pythons: Sequence[Version] = PYTHONS
        self.world: Callable[[Goal], Source]
        if self.case.get("world") == "published":
            self.world = published.world
            self.pythons = [each for each in published.database().images.pythons if each >= Version("3.6")]
        else:
            source = MemorySource(self.case["files"])
            self.world = lambda changed: source.of(changed.target.accelerator)

        self.shelf = Shelf()

    def solve(self, request: Goal) -> Resolution:
        """As `lock` does."""
        return resolve(request, self.world(request), pythons=self.pythons, brief=True)

    def narrow(self, conflict: Conflict, request: Goal) -> Conflict:
        """The smallest conflict of a request."""
        return smallest(conflict, request, self.world, pythons=self.pythons)

    @cached_property
    def told(self) -> Conflict:
        """What is told of the request."""
        with pytest.raises(Conflict) as caught:
            resolve(self.request, self.world(self.request), pythons=self.pythons)
        return self.narrow(caught.value, self.request)

    @cached_property
    def fixes(self) -> list[Fix]:
        """What is suggested; each was solved."""
        refusal = Refusal(
            self.request,
            wrong_of(self.told),
            Knowledge(load(), self.world(self.request), rows=False),
            offered=self.told.offered,
            attempt=self.solve,
            narrow=self.narrow,
            persists=self.told.persists,
        )
        return refusal.fixes()

    def is_solvable(self, parts: Iterable[Part]) -> bool:
        """Where only these parts hold; no answer is remembered from other tries."""
        parts = frozenset(parts)
        wanted = Requirement(name=TENSORFLOW, specifier=self.request.tensorflow)
        versions = Versions()
        versions.hear((wanted, *self.request.requirements, *self.request.constraints))
        for way in 2 * ways(only(self.request, parts), parts):  # the second time all bounds were heard
            for pythons in (self.pythons[:1], self.pythons):  # the newest alone is often enough, and soon tried
                source = PartialSource(self.world(way), parts, way.target.platform, versions, self.shelf)
                try:
                    resolve(way, source, pythons=pythons, brief=True)
                except Conflict:
                    continue
                return True
        return False

    def is_solved_without(self, wish: Part) -> bool:
        """The whole request in the world as it is, less one wish."""
        rest = [each for each in asks(self.request) if each != wish]
        for way in ways(only(self.request, rest), rest):
            try:
                self.solve(way)
            except Conflict:
                continue
            return True
        return False


unsolvable = cache(Unsolvable)
"""Each case is solved once for all that is asked of it."""


@pytest.mark.ci
@pytest.mark.parametrize("path", EACH)
def test_nothing_told_could_be_left_out(path: Path) -> None:
    """What is told contradicts itself; without any one element, fact or wish, there is a solution."""
    case = unsolvable(path)
    parts = case.told.parts
    assert parts
    assert not case.is_solvable(parts)
    for part in parts:
        assert case.is_solvable(set(parts) - {part}), f"{part} is not needed"


@pytest.mark.parametrize("path", EACH)
def test_without_any_wish_that_is_told_the_whole_request_is_solved(path: Path) -> None:
    """In the world as it is; unless the case says that another conflict stands beside the one that is told."""
    case = unsolvable(path)
    wishes = [part for part in case.told.parts if not part.kind.is_fact]
    needed = [part for part in wishes if str(part.kind) not in case.case.get("others", ())]
    assert [part for part in needed if not case.is_solved_without(part)] == []


@pytest.mark.parametrize("path", EACH)
def test_it_reads_as_the_case_says(path: Path) -> None:
    """The first line, the number of lines, and the first fix, which is solved again from what it asks for."""
    case = unsolvable(path)
    told = case.told
    found = case.fixes
    error = explain(told, case.request)
    fact, *because = error.message.splitlines()
    expected = case.case["expect"]
    assert {"fact": fact, "parts": [str(part) for part in told.parts]} == {
        key: expected[key] for key in ("fact", "parts")
    }
    assert 1 <= len(because) <= MOST
    assert all(line.startswith("  because ") for line in because)
    assert [dict(fix.change) for fix in found[:1]] == [expected[key] for key in ("first",) if key in expected]
    assert all(fix.command.startswith("tfenv lock") and fix.solved for fix in found)
    assert [fix.cost for fix in found] == sorted(fix.cost for fix in found)


def test_there_are_enough_of_them() -> None:
    """Forty and more cases, of which at most two have no fix."""
    assert len(CASES) >= 40
    without = [path.stem for path in CASES if "first" not in tomllib.loads(path.read_text())["expect"]]
    assert len(without) <= 2
