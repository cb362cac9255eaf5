"""Random worlds: the resolver finds a solution where a complete search finds one, and no other."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement as PackagingRequirement
from packaging.version import Version

from tests.resolver.worlds import DRIVER, GLIBC, PYTHONS, Complete, Pinned, World, world_of
from tests.support.memory import MemorySource
from tfenv.model.goal import Goal
from tfenv.model.package import Requirement
from tfenv.model.target import Accelerator, Target
from tfenv.resolver import Conflict, Resolution, explain, resolve, smallest

_EXPLAINED = 20
"""One in so many conflicts is explained."""


def request_of(world: World) -> Goal:
    """The request of a world, for a Linux machine."""
    parsed = [PackagingRequirement(text) for text in world.requirements]
    is_cuda = world.majors != ("0",)
    target = Target(
        accelerator=Accelerator.CUDA if is_cuda else Accelerator.NONE,
        cuda_major=int(world.majors[0]) if len(world.majors) == 1 and is_cuda else None,
        driver=Version(DRIVER),
        glibc=Version(GLIBC),
    )
    return Goal(
        tensorflow=parsed[0].specifier,
        target=target,
        requirements=tuple(map(Requirement.of, parsed[1:])),
        constraints=tuple(Requirement.of(PackagingRequirement(text)) for text in world.constraints),
    )


def check(seed: int) -> bool:
    """Compare both searches in one world; whether it has a solution."""
    world = world_of(seed)
    request, source = request_of(world), MemorySource(world.rows)
    pythons = tuple(map(Version, PYTHONS))
    try:
        resolution: Resolution | None = resolve(request, source, pythons=pythons)
    except Conflict as conflict:
        resolution, left = None, conflict
    if resolution is None:
        assert left.is_proven, f"world {seed}: the search was given up"
        assert not Complete(world, is_lenient=False, builds=True).is_solvable(), f"world {seed} has a solution"
        if seed % _EXPLAINED == 0:
            explain(smallest(left, request, lambda _: source, pythons=pythons), request)
        return False
    pins = {str(name): Pinned(version=str(pin.version), extras=pin.extras) for name, pin in resolution.pins.items()}
    faults = [
        Complete(world, is_lenient=True, builds=builds).faults(str(resolution.python), pins) for builds in (False, True)
    ]
    assert not all(faults), f"world {seed}: {faults}"
    return True


@pytest.mark.parametrize("block", range(4))
def test_a_few_worlds(block: int) -> None:
    """In a hundred worlds both searches agree, and both answers occur."""
    answers = [check(seed) for seed in range(25 * block, 25 * block + 25)]
    assert 3 < sum(answers) < 25


@pytest.mark.ci
@pytest.mark.parametrize("block", range(20))
def test_worlds(block: int) -> None:
    """In 2,000 more worlds both searches agree."""
    for seed in range(1_000 + 100 * block, 1_100 + 100 * block):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(100))
def test_many_worlds(block: int) -> None:
    """In 100,000 more worlds both searches agree."""
    for seed in range(100_000 + 1_000 * block, 101_000 + 1_000 * block):
        check(seed)
