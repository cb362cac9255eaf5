"""The learning resolver as resolvelib sees it: its result, its errors, and what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement as PackagingRequirement
from packaging.version import Version
from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep

from tests.support.memory import MemorySource
from tfenv.model.goal import Goal
from tfenv.model.package import TENSORFLOW, Requirement
from tfenv.model.target import Accelerator, Target
from tfenv.resolver.candidate import Candidate, Want
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.learning import LearningResolver
from tfenv.resolver.provider import Choice, Provider

if TYPE_CHECKING:
    from collections.abc import Collection

    from resolvelib.resolvers import Criterion, RequirementInformation
    from resolvelib.structs import State

_PYTHON = Version("3.13.9")
_Row = dict[str, Any]


class Noted(BaseReporter[Want, Choice, str]):
    """Notes what is reported, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def starting(self) -> None:
        self.events.append("start")

    def adding_requirement(self, requirement: Want, parent: Choice | None) -> None:
        self.events.append(f"{name_of(parent)} requires {requirement.identifier}")

    def pinning(self, candidate: Choice) -> None:
        self.events.append(f"pin {name_of(candidate)}")

    def rejecting_candidate(self, criterion: Criterion[Want, Choice], candidate: Choice) -> None:
        [information] = criterion.information
        self.events.append(f"{name_of(candidate)} rejected for {information.requirement.requirement}")

    def resolving_conflicts(self, causes: Collection[RequirementInformation[Want, Choice]]) -> None:
        self.events.append(f"conflict of {len(causes)}")

    def ending(self, state: State[Want, Choice, str]) -> None:
        self.events.append(f"end with {len(state.mapping)}")


def name_of(choice: Choice | None) -> str:
    if choice is None:
        return "root"
    return f"{choice.identifier} {choice.version}" if isinstance(choice, Candidate) else choice.identifier


def resolver_of(rows: list[_Row], *requirements: str) -> tuple[LearningResolver, list[Want], Noted]:
    asked = [Requirement(name=TENSORFLOW), *(Requirement.of(PackagingRequirement(text)) for text in requirements)]
    request = Goal(target=Target(accelerator=Accelerator.NONE))
    catalog = Catalog(MemorySource([{"file": "tensorflow-2.21.0-py3-none-any.whl"}, *rows]), request.target)
    provider = Provider(request, catalog, asked=asked, pythons=[_PYTHON], preferred={}, first=TENSORFLOW)
    reporter = Noted()
    return LearningResolver(provider, reporter), provider.roots(), reporter


def test_result() -> None:
    """The graph and the criteria say who requires what; an extra requires its project."""
    rows: list[_Row] = [
        {"file": "a-1.0-py3-none-any.whl", "requires": ["b; extra == 'x'"], "extras": ["x"]},
        {"file": "b-2.0-py3-none-any.whl", "requires": ["absent"]},
        {"file": "b-1.0-py3-none-any.whl"},
    ]
    resolver, roots, reporter = resolver_of(rows, "a[x]")
    result = resolver.resolve(roots)
    assert {name_of(choice) for choice in result.mapping.values()} == {
        "tensorflow 2.21.0",
        "python",
        "a 1.0",
        "a[x] 1.0",
        "b 1.0",
    }
    edges = set(result.graph.iter_edges())
    assert {(None, "a[x]"), ("a[x]", "a"), ("a[x]", "b"), ("tensorflow", "python"), ("python", "a[x]")} <= edges
    assert [name_of(parent) for parent in result.criteria["b"].iter_parent()] == ["a[x] 1.0"]
    assert list(result.criteria["b"].candidates) == [result.mapping["b"]]
    assert reporter.events[0] == "start"
    assert reporter.events[-1] == "end with 5"
    assert "b 2.0 rejected for absent" in reporter.events
    assert "pin b 1.0" in reporter.events
    assert "pin b 2.0" not in reporter.events


def test_impossible() -> None:
    """The causes are the requirements of the proof, and nothing else."""
    rows: list[_Row] = [
        {"file": "a-1.0-py3-none-any.whl", "requires": ["c<2", "d"]},
        {"file": "b-1.0-py3-none-any.whl", "requires": ["c>=2"]},
        {"file": "c-1.0-py3-none-any.whl"},
        {"file": "c-2.0-py3-none-any.whl"},
        {"file": "d-1.0-py3-none-any.whl"},
    ]
    resolver, roots, reporter = resolver_of(rows, "a", "b", "d")
    with pytest.raises(ResolutionImpossible) as caught:
        resolver.resolve(roots)
    causes = {(str(cause.requirement.requirement), name_of(cause.parent)) for cause in caught.value.causes}
    assert causes == {("a", "root"), ("b", "root"), ("c<2", "a 1.0"), ("c>=2", "b 1.0")}
    assert reporter.events[-1] == "conflict of 4"


def test_too_deep() -> None:
    """A search that meets more conflicts than allowed says so, and claims nothing."""
    names = [f"p{number}" for number in range(5)]
    rows: list[_Row] = []
    for place, name in enumerate(names):
        for version in range(1, 5):
            others = [f"{other}!={version}" for other in names[:place]]
            rows.append({"file": f"{name}-{version}-py3-none-any.whl", "requires": others})
    resolver, roots, _ = resolver_of(rows, *names)
    with pytest.raises(ResolutionTooDeep) as caught:
        resolver.resolve(roots, max_rounds=3)
    assert caught.value.round_count == 4
    with pytest.raises(ResolutionImpossible):
        resolver.resolve(roots)
