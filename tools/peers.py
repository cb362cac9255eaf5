"""The scenarios of other resolvers' test suites, run against ours; every difference must be one that is explained.

    uv run python -m tools.peers FOLDER

FOLDER holds `packse/scenarios` (astral-sh/packse) and `resolvelib/tests/functional/python/inputs`
(sarugaku/resolvelib). `peers.toml` beside this file lists the differences, each with the paragraph that allows it. The
exit code is 1 if one is not listed, if our answer is not the one that is listed, or if a listed one no longer exists.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tests.support.memory import MemorySource
from tfenv.model.goal import Goal
from tfenv.model.package import TENSORFLOW, Requirement, normalize
from tfenv.model.target import Target
from tfenv.resolver import Conflict, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

EXPLAINED = Path(__file__).with_suffix(".toml")
CONFLICT = "conflict"
_ROOT = {"file": "tensorflow-1.0-py3-none-any.whl"}
"""Our resolver begins with TensorFlow, so each world has one that requires nothing."""

_OLD_BOUNDS = re.compile(r"\(([^)]*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One world of a peer with the answer that the peer expects.

    Attributes:
        name: `suite/file` without suffix.
        rows: files of the world, as `MemorySource` reads them.
        requires: requirements of the request.
        python: full version of the only Python.
        expected: pins by name, `conflict`, or ``None`` if any solution is right.
        prereleases: whether the request opts in to pre-releases of every project.
    """

    name: str
    rows: list[dict[str, Any]]
    requires: list[str]
    python: Version
    expected: dict[str, str] | str | None
    prereleases: bool = False


def main() -> None:
    """Run both suites, print every difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="run the scenarios whose name contains this")
    options = parser.parse_args()
    explained = {row["name"]: row for row in tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["difference"]}
    unexplained, count, agreed, slowest = [], 0, 0, (0.0, "")
    scenarios = (each for each in all_scenarios(options.folder) if options.only in each.name)
    for scenario in scenarios:
        began = time.monotonic()
        ours = answer(scenario)
        slowest = max(slowest, (time.monotonic() - began, scenario.name))
        count += 1
        row = explained.pop(scenario.name, None)
        if agree(scenario.expected, ours):
            agreed += 1
            if row is not None:
                unexplained.append(f"{scenario.name}: listed as a difference, but the answers agree")
        elif row is None or row["ours"] != ours:
            unexplained.append(f"{scenario.name}: expected {scenario.expected}, ours is {ours}")
        else:
            print(f"{scenario.name}: expected {scenario.expected}, ours is {ours}\n    {row['because']}")
    if not options.only:
        unexplained += [f"{name}: listed as a difference, but there is no such scenario" for name in explained]
    print(f"{count} scenarios, {agreed} agree; the slowest took {slowest[0]:.1f} s ({slowest[1]})")
    for line in unexplained:
        print(f"not explained: {line}", file=sys.stderr)
    sys.exit(1 if unexplained else 0)


def all_scenarios(folder: Path) -> Iterator[Scenario]:
    """Those of both suites that apply to one target."""
    yield from packse(folder / "packse" / "scenarios")
    yield from resolvelib(folder / "resolvelib" / "tests" / "functional" / "python" / "inputs")


def answer(scenario: Scenario) -> dict[str, str] | str:
    """Our pins, `conflict`, or the name of an exception that should not have been raised."""
    wanted = tuple(Requirement.of(PackagingRequirement(text)) for text in scenario.requires)
    names = {normalize(row["file"].split("-")[0]) for row in scenario.rows} if scenario.prereleases else set()
    opened = SpecifierSet(">=0.dev0")  # our request has no such option for all projects; it names a pre-release of each
    constraints = tuple(Requirement(name=name, specifier=opened) for name in sorted(names))
    request = Goal(target=Target(python=scenario.python), requirements=wanted, constraints=constraints)
    try:
        resolution = resolve(request, MemorySource([_ROOT, *scenario.rows]), pythons=(scenario.python,))
    except Conflict as conflict:
        return CONFLICT if conflict.is_proven else "gave up"
    except Exception as error:  # noqa: BLE001  # a traceback is an answer that is listed too
        return f"{type(error).__name__}: {error}"
    return {name: str(pin.version) for name, pin in resolution.pins.items() if name != TENSORFLOW}


def agree(expected: dict[str, str] | str | None, ours: dict[str, str] | str) -> bool:
    """Are they the same set of releases? A peer that names no release accepts any solution."""
    if expected is None or isinstance(expected, str) or isinstance(ours, str):
        return ours == expected if expected is not None else not isinstance(ours, str)
    return {name: Version(text) for name, text in expected.items()} == {n: Version(t) for n, t in ours.items()}


# astral-sh/packse


def packse(folder: Path) -> Iterator[Scenario]:
    """Scenarios with one environment; universal resolution has no meaning for a target."""
    for path in sorted(folder.rglob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        options, expected = case.get("resolver_options", {}), case["expected"]
        if options.get("universal"):
            continue
        python = Version(options.get("python") or case.get("environment", {}).get("python", "3.12"))
        if len(python.release) == 2:
            python = Version(f"{python}.0")
        rows = [
            row
            for name, project in case.get("packages", {}).items()
            for version, release in project["versions"].items()
            for row in _files(name, version, release, options)
        ]
        yield Scenario(
            name=f"packse/{path.parent.name}/{path.stem}",
            rows=rows,
            requires=case["root"]["requires"],
            python=python,
            expected=(expected.get("packages", {}) or None) if expected["satisfiable"] else CONFLICT,
            prereleases=options.get("prereleases", False),
        )


def _files(name: str, version: str, release: dict[str, Any], options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of one release: a wheel for each of its tags and a source distribution, unless it has none."""
    project = normalize(name).replace("-", "_")
    extras: Mapping[str, list[str]] = release.get("extras", {})
    requires = list(release.get("requires", ()))
    requires += [_only_with(extra, text) for extra, texts in extras.items() for text in texts]
    yanked = release.get("yanked", False)
    common: dict[str, Any] = {"requires": requires, "extras": [normalize(extra) for extra in extras]}
    if yanked:
        common["yanked"] = "" if yanked is True else yanked
    if release.get("requires_python"):
        common["requires_python"] = release["requires_python"]
    if release.get("wheel", True) and name not in options.get("no_binary", ()):
        for tag in release.get("wheel_tags") or ["py3-none-any"]:
            yield {"file": f"{project}-{version}-{tag}.whl", **common}
    if release.get("sdist", True) and name not in options.get("no_build", ()):
        yield {"file": f"{project}-{version}.tar.gz", **common}


def _only_with(extra: str, text: str) -> str:
    requirement, _, marker = text.partition(";")
    return (
        f"{requirement.strip()} ; {f'({marker.strip()}) and ' if marker.strip() else ''}extra == '{normalize(extra)}'"
    )


# sarugaku/resolvelib


def resolvelib(folder: Path) -> Iterator[Scenario]:
    """Frozen indexes and requests; versions and specifiers that PEP 440 does not know are left out, as there."""
    for path in sorted((folder / "case").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        index = json.loads((folder / "index" / f"{case['index']}.json").read_text(encoding="utf-8"))
        resolved = {
            name: entry if isinstance(entry, str) else entry["version"]
            for name, entry in case.get("resolved", {}).items()
        }
        yield Scenario(
            name=f"resolvelib/{path.stem}",
            rows=list(_of_index(index)),
            requires=[_modern(text) for text in case["requested"]],
            python=Version("3.8.20"),
            expected=CONFLICT if "conflicted" in case else resolved or None,
        )


def _of_index(index: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, releases in index.items():
        for version, release in releases.items() if isinstance(releases, dict) else ():
            try:
                Version(version)
            except InvalidVersion:
                continue
            project = normalize(name).replace("-", "_")
            requires = list(_readable(release["dependencies"]))
            row: dict[str, Any] = {"file": f"{project}-{version}-py2.py3-none-any.whl", "requires": requires}
            try:
                SpecifierSet(bounds := release.get("requires_python") or "")
            except InvalidSpecifier:
                bounds = ""
            if bounds:
                row["requires_python"] = bounds
            yield row


def _readable(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            PackagingRequirement(modern := _modern(text))
        except InvalidRequirement:
            continue
        yield modern


def _modern(text: str) -> str:
    """`six (>=1.10)` as `six >=1.10`."""
    requirement, separator, marker = text.partition(";")
    return _OLD_BOUNDS.sub(r"\1", requirement) + separator + marker


if __name__ == "__main__":
    main()
