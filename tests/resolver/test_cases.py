"""Every file of `cases/` is one resolution: an index, a request, and what must come of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.memory import MemorySource
from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.model.goal import Goal
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.resolver import Conflict, Resolution, resolve, smallest
from tfenv.workflow.lock.refusal import refused

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
PYTHONS = tuple(map(Version, ("3.14.1", "3.13.9", "3.12.12", "3.11.14", "3.10.19", "3.9.25", "3.8.20", "3.7.17")))


def target_of(table: dict[str, Any]) -> Target:
    return Target(
        platform=Platform(table.get("platform", "linux-x86_64")),
        python=Version(table["python"]) if "python" in table else None,
        accelerator=Accelerator(table.get("accelerator", "none")),
        cuda_major=table.get("cuda_major"),
        gpus=tuple(
            Gpu(name=name, capability=ComputeCapability.parse(text)) for name, text in table.get("gpus", {}).items()
        ),
        driver=Version(table["driver"]) if "driver" in table else None,
        glibc=Version(table["glibc"]) if "glibc" in table else None,
        cpu=frozenset(table["cpu"]) if "cpu" in table else None,
    )


def request_of(case: dict[str, Any]) -> Goal:
    table = case.get("request", {})

    def wanted(key: str) -> tuple[Requirement, ...]:
        return tuple(
            Requirement.of(PackagingRequirement(text), source=f"{key}.txt:{number}")
            for number, text in enumerate(table.get(key, ()), 1)
        )

    return Goal(
        tensorflow=SpecifierSet(table.get("tensorflow", "")),
        target=target_of(case.get("target", {})),
        requirements=wanted("requirements"),
        constraints=wanted("constraints"),
        prereleases=table.get("prereleases", False),
    )


def answer(resolution: Resolution) -> dict[str, Any]:
    """A resolution as cases write it down."""
    return {
        "python": f"{resolution.python.major}.{resolution.python.minor}",
        "pins": {name: str(pin.version) for name, pin in resolution.pins.items()},
        "files": [pin.file.filename for pin in resolution.pins.values()],
        "needs": [str(need.requirement) for need in resolution.needs],
        "dependencies": {name: list(pin.dependencies) for name, pin in resolution.pins.items()},
        "direct": [name for name, pin in resolution.pins.items() if pin.direct],
        "notes": list(resolution.notes),
        "warnings": list(resolution.warnings),
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """The resolution has every value that the case expects, or the conflict reads as the case says."""
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    request, source = request_of(case), MemorySource(case["files"])
    preferred = {Name(name): Version(text) for name, text in case.get("preferred", {}).items()}
    expected = case["expect"]
    assert outcome(request, source, preferred, expected) == expected


def outcome(
    request: Goal, source: MemorySource, preferred: dict[Name, Version], asked: dict[str, Any]
) -> dict[str, Any]:
    """As the case writes it down, as far as it asks."""
    try:
        resolution = resolve(request, source, pythons=PYTHONS, preferred=preferred)
    except Conflict as conflict:

        def world(changed: Goal) -> MemorySource:
            return source.of(changed.target.accelerator)

        def narrow(left: Conflict, changed: Goal) -> Conflict:
            return smallest(left, changed, world, pythons=PYTHONS)

        def solve(changed: Goal) -> Resolution:
            return resolve(changed, world(changed), pythons=PYTHONS, brief=True)

        core, knowledge = narrow(conflict, request), Knowledge(load(), source, rows=False)
        error = refused(core, request, knowledge, shown=request, attempt=solve, narrow=narrow)
        words = {"conflict": error.message + "\n", "hint": f"{error.hint}\n"}
        return {key: value for key, value in words.items() if key in asked}
    return {key: value for key, value in answer(resolution).items() if key in asked}
