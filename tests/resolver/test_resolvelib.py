"""resolvelib's own resolver with our provider: where it errs, why ours stands in for it, and where both must agree."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version
from resolvelib import Resolver

from tests.resolver import test_cases as cases
from tests.resolver import test_worlds as worlds
from tests.resolver.worlds import PYTHONS, Complete, Pinned, world_of
from tests.support.memory import MemorySource
from tfenv.model.package import Name
from tfenv.resolver import Conflict, Resolution, resolve
from tfenv.resolver.candidate import Want
from tfenv.resolver.learning import LearningResolver
from tfenv.resolver.provider import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from resolvelib.resolvers import Result


class Withdrawn(Exception):
    """A result of resolvelib that its own provider does not allow.

    Either a requirement was lost, or a pin was kept whose reason (such as the only requirement that allows a
    pre-release) was withdrawn.
    """


class Plain(Resolver[Want, Choice, str]):
    """resolvelib's own resolver; its result is checked against the provider's answers to the same questions."""

    def resolve(  # type: ignore[override]  # as in the base class
        self, requirements: Iterable[Want], max_rounds: int = 100
    ) -> Result[Want, Choice, str]:
        """As in the base class.

        Raises:
            Withdrawn: the result does not satisfy the requirements of what is in it.
        """
        roots = list(requirements)
        result = super().resolve(roots, max_rounds)
        wanted: dict[str, list[Want]] = {}
        for want in roots:
            wanted.setdefault(want.identifier, []).append(want)
        for choice in result.mapping.values():
            for want in self.provider.get_dependencies(choice):
                wanted.setdefault(want.identifier, []).append(want)
        for identifier, wants in wanted.items():
            matches = self.provider.find_matches(identifier, {identifier: iter(wants)}, {identifier: iter(())})
            if result.mapping.get(identifier) not in list(matches() if callable(matches) else matches):
                raise Withdrawn(identifier)
        return result


FAULTS: dict[str, type[Exception]] = {
    # `_backjump` skips the pin that is itself in conflict (sarugaku/resolvelib issue 206)
    "backjump_past_its_own_release": Conflict,
    # `_has_route_to_root` does not end on a cycle that nothing leads to
    "cycle_left_behind": RecursionError,
    # `_remove_information_from_criteria` drops the requirements of a pin that is unsatisfied for a moment, and kept
    "extra_comes_and_goes": Withdrawn,
    # the candidates of an extra are asked for without the requirements on its project
    "extra_of_a_yanked_release": Conflict,
}
"""Cases with a solution that resolvelib does not find, and what it does instead."""


@pytest.mark.parametrize("path", cases.CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """A known fault of resolvelib shows in its case; it answers as our resolver does in all others."""
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    request, source = cases.request_of(case), MemorySource(case["files"])
    preferred = {Name(name): Version(text) for name, text in case.get("preferred", {}).items()}

    def files(resolver: type[Resolver[Want, Choice, str]]) -> list[str] | None:
        try:
            resolution = resolve(
                request, source, pythons=cases.PYTHONS, preferred=preferred, brief=True, resolver=resolver
            )
        except Conflict:
            return None
        return [pin.file.filename for pin in resolution.pins.values()]

    ours = files(LearningResolver)
    error: type[Exception] = Conflict
    try:
        theirs = files(Plain)
    except (RecursionError, Withdrawn) as raised:
        theirs, error = None, type(raised)
    if path.stem not in FAULTS:
        assert theirs == ours
        return
    assert ours is not None
    assert (theirs, error) == (None, FAULTS[path.stem]), (
        f"resolvelib solves {path.stem} now: remove it here and in docs/resolver.md. Once FAULTS is empty, use "
        "`resolvelib.Resolver` in resolve.py, and delete learning.py, search.py, values.py and world.py."
    )


def compare(seed: int) -> str:
    """Both resolvers in one world; what resolvelib came to."""
    world = world_of(seed)
    request, source = worlds.request_of(world), MemorySource(world.rows)
    pythons = tuple(map(Version, PYTHONS))

    def run(resolver: type[Resolver[Want, Choice, str]]) -> Resolution | None:
        try:
            return resolve(request, source, pythons=pythons, brief=True, resolver=resolver)
        except Conflict:
            return None

    try:
        theirs = run(Plain)
    except (RecursionError, Withdrawn):
        return "error"
    if theirs is None:
        return "conflict"
    pins = {str(name): Pinned(version=str(pin.version), extras=pin.extras) for name, pin in theirs.pins.items()}

    def is_sound(*, is_lenient: bool) -> bool:
        return any(
            not Complete(world, is_lenient=is_lenient, builds=builds).faults(str(theirs.python), pins)
            for builds in (False, True)
        )

    assert is_sound(is_lenient=True), f"world {seed}: the solution of resolvelib breaks a requirement"
    # of a release that only a package allows, our resolver knows if that package was read (docs/resolver.md)
    if run(LearningResolver) is None:
        assert not is_sound(is_lenient=False), f"world {seed} has a solution"
        return "exception"
    return "solution"


def test_a_few_worlds() -> None:
    """In fifty worlds the solutions of resolvelib are sound, and our resolver finds one too; both answers occur."""
    found = Counter(map(compare, range(50)))
    assert found["solution"] > 10
    assert found["conflict"] > 10


@pytest.mark.ci
@pytest.mark.parametrize("block", range(20))
def test_worlds(block: int) -> None:
    """In 2,000 more worlds too; where our resolver refuses what resolvelib solves, and where that errs, is rare."""
    found = Counter(map(compare, range(1_000 + 100 * block, 1_100 + 100 * block)))
    assert found["solution"] > 20
    assert found["error"] + found["exception"] < 5
