"""Random machines and environments, the same question asked of `lock` and of `check`, and what they disagree about."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.completion import completed
from tfenv.check.knowledge import Knowledge
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.errors import UsageError
from tfenv.facts.database import Database, load
from tfenv.facts.projects import OLDEST
from tfenv.inputs import configuration
from tfenv.model.goal import OLDEST_PYTHON, Goal
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.report import Answer
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.overlay.overlay import GPU, FactsOverlay
from tfenv.overlay.shipped import Shipped
from tfenv.resolver import Conflict, resolve
from tfenv.workflow.check import judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.model.report import Problem, Verdict
    from tfenv.resolver import Resolution

COMPANIONS = (
    "numpy",
    "protobuf",
    "keras",
    "tf-keras",
    "tensorflow-probability",
    "tensorflow-addons",
    "tensorflow-text",
    "tensorflow-hub",
    "tensorflow-datasets",
    "tensorboard",
    "h5py",
    "scipy",
    "pandas",
    "ml-dtypes",
    "typing-extensions",
)
"""Projects beside TensorFlow whose rows come with tfenv, and the rows of all that they require."""

_PLATFORMS = (
    *[Platform.LINUX_X86_64] * 5,
    Platform.LINUX_AARCH64,
    Platform.WINDOWS_X86_64,
    Platform.WSL,
    Platform.MACOS_ARM64,
    Platform.MACOS_X86_64,
)
"""Linux on x86-64 as often as all others."""

_SYSTEMS = {
    Platform.LINUX_X86_64: ("linux", "x86_64"),
    Platform.LINUX_AARCH64: ("linux", "aarch64"),
    Platform.MACOS_ARM64: ("macos", "arm64"),
    Platform.MACOS_X86_64: ("macos", "x86_64"),
    Platform.WINDOWS_X86_64: ("windows", "x86_64"),
    Platform.WSL: ("wsl", "x86_64"),
}

Document = dict[str, Any]
"""A configuration as `check --from` reads it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two answers that do not go together.

    Attributes:
        kind: which two, and the code of the problem where one is called broken.
        document: what was asked.
        words: what each side says.
    """

    kind: str
    document: Document
    words: str

    def __str__(self) -> str:
        return f"{self.kind}\n  asked {json.dumps(self.document)}\n  {self.words}"


@cache
def knowledge() -> Knowledge:
    """The rows that come with tfenv, without an index."""
    return Knowledge(load())


# the questions


def question(number: int, seed: str) -> Document:
    """A machine, a release and names of companions; those with an even number lie within one step of a bound."""
    chance = random.Random(f"{seed} {number}")
    database = knowledge().database
    stems = database.releases.minors
    version = chance.choice(database.releases.versions_of(chance.choice(stems)))
    facts = database.releases.release(TENSORFLOW, version)
    wheels = () if facts is None else facts.wheels
    platform = chance.choice(_PLATFORMS)
    if platform.wheels not in {wheel.platform for wheel in wheels} and chance.random() < 0.75:
        platform = Platform.LINUX_X86_64
    system, machine = _SYSTEMS[platform]
    here = [wheel for wheel in wheels if wheel.platform is platform.wheels] or wheels
    pythons = sorted({python for wheel in here for python in _pythons(wheel.python)})
    python = chance.choice(pythons or [Version("3.10")])
    document: Document = {"tf": str(version), "python": str(python), "os": system, "arch": machine}
    if platform.is_linux and chance.random() < 0.7:
        document["glibc"] = chance.choice(("2.17", "2.23", "2.27", "2.28", "2.31", "2.35", "2.36", "2.39", "2.41"))
    if not system.startswith("macos") and chance.random() < 0.6:
        document["gpu"] = _gpu(database, chance, version, platform)
        drivers = _drivers(database, platform)
        document["driver"] = str(chance.choice(drivers if chance.random() < 0.5 else drivers[-8:]))
    else:
        document["gpu"] = "none"
    document["packages"] = dict.fromkeys(chance.sample(COMPANIONS, chance.randrange(4)), "")
    if number % 2 == 0:
        _to_a_bound(document, chance, version, pythons, platform)
    return document


def _gpu(database: Database, chance: random.Random, version: Version, platform: Platform) -> str:
    """A GPU, three times in four one of which the release has machine code."""
    here = [row for row in database.gpus.all if row.platform in (None, platform)]
    facts = database.releases.release(GPU, version) or database.releases.release(TENSORFLOW, version)
    build = None if facts is None else facts.build(platform.wheels)
    served = {each.capability for each in build.sass} if build is not None else set()
    fitting = [row for row in here if row.capability in served]
    return chance.choice(fitting if fitting and chance.random() < 0.75 else here).name


def _to_a_bound(
    document: Document, chance: random.Random, version: Version, pythons: list[Version], platform: Platform
) -> None:
    """Move one quantity to a bound of the tables, or one step to either side of it."""
    database = knowledge().database
    step = chance.choice((-1, 0, 1))
    build = knowledge().overlay(_target(document)).build(TENSORFLOW, version)
    bounds = ["python"] if pythons else []
    facts = database.releases.release(TENSORFLOW, version)
    floors = sorted({wheel.needs_glibc for wheel in facts.wheels if wheel.needs_glibc} if facts else ())
    bounds += ["glibc"] if floors and platform.is_linux else []
    bounds += ["driver", "capability"] if document["gpu"] != "none" and build is not None and build.sass else []
    match chance.choice(bounds or ["none"]):
        case "python":
            edge = chance.choice((pythons[0], pythons[-1]))
            document["python"] = f"{edge.major}.{max(edge.minor + step, 0)}"
        case "glibc":
            floor = chance.choice(floors)
            document["glibc"] = f"{floor.major}.{floor.minor + step}"
        case "driver":
            driver = chance.choice(_drivers(database, platform))
            parts = [*driver.release[:-1], max(driver.release[-1] + step, 0)]
            document["driver"] = ".".join(map(str, parts))
        case "capability":
            assert build is not None
            known = sorted({row.capability for row in database.gpus.all})
            edge_of = chance.choice([each.capability for each in (*build.sass, *build.ptx)])
            place = known.index(edge_of) if edge_of in known else 0
            document["gpu"] = str(known[min(max(place + step, 0), len(known) - 1)])


def _drivers(database: Database, platform: Platform) -> list[Version]:
    """Drivers at which a toolkit begins to work."""
    windows = platform in (Platform.WINDOWS_X86_64, Platform.WSL)
    named = {
        driver
        for one in database.cuda.all
        for driver in ((one.driver_windows, one.compat_windows) if windows else (one.driver_linux, one.compat_linux))
        if driver is not None
    }
    return sorted(named)


def _pythons(tag: str) -> Iterator[Version]:
    digits = tag.removeprefix("cp")
    if digits.isdigit() and len(digits) > 1:
        yield Version(f"{digits[0]}.{digits[1:]}")


def _target(document: Document) -> Target:
    return ask(configuration.loads(json.dumps(document), "case"), knowledge().database).target


# the two sides


def checked(
    document: Document, packages: Mapping[str, str] | None = None, *, complete: bool = False, fixes: bool = False
) -> Verdict:
    """What `check` says."""
    said = {**document, "packages": document["packages"] if packages is None else packages}
    read = replace(configuration.loads(json.dumps(said), "case"), complete=complete)
    if fixes:
        return judged(read, knowledge())
    question = ask(read, knowledge().database)
    return completed(judge(question, knowledge()), question, knowledge())


def locked(document: Document) -> tuple[Resolution | None, bool]:
    """What `lock` finds, and whether it is sure: not where the rows leave out a project, a wheel, or the Python."""
    database = knowledge().database
    requirements = tuple(
        Requirement(name=Name(name), specifier=SpecifierSet(f"=={version}" if version else ""), source="--with")
        for name, version in document["packages"].items()
        if not name.startswith("nvidia-")
    )
    try:
        question = ask(configuration.loads(json.dumps(document), "case"), database)
        target = question.target
        images = database.images
        if target.platform.is_linux and target.glibc is None:
            target = replace(target, glibc=images.python(target.python or images.pythons[0]).glibc)
    except UsageError:
        return None, False
    if target.accelerator is Accelerator.CUDA and target.platform in (Platform.MACOS_ARM64, Platform.MACOS_X86_64):
        return None, True
    version = Version(document["tf"])
    goal = Goal(
        tensorflow=SpecifierSet(f"=={version}"),
        prereleases=version.is_prerelease,
        target=target,
        requirements=requirements,
    )
    source = Shipped(database, minors=(f"{version.major}.{version.minor}",))
    preferred = {name: one.version for name, one in database.wheels.proven.items()}
    pythons = [python for python in images.pythons if python >= OLDEST_PYTHON]
    try:
        overlay = FactsOverlay(source, database, target, tensorflow=goal.tensorflow)
        found = resolve(goal, overlay, pythons=pythons, preferred=preferred, brief=True)
    except Conflict as conflict:
        old = target.python is not None and target.python < OLDEST  # whose wheels the rows leave out
        return None, conflict.is_proven and not source.unasked and not source.silent and not old
    return found, True


def changed(document: Document, change: tuple[tuple[str, str], ...]) -> Document:
    """The document with a fix applied."""
    after = {**document, "packages": dict(document["packages"])}
    for key, value in change:
        if key.startswith("packages."):
            after["packages"][key.removeprefix("packages.")] = value
        else:
            after[key] = value
            if key == "os" and value == "wsl":
                after["arch"] = "x86_64"
    return after


# what they disagree about


def contradictions(document: Document) -> Iterator[Contradiction]:
    """All of one question."""
    free, _ = locked({**document, "packages": dict.fromkeys(document["packages"], "")})
    pinned = document
    if free is not None:
        pins = {name: str(pin.version) for name, pin in free.pins.items()}
        verdict = checked(document, {name: v for name, v in pins.items() if name != TENSORFLOW}, complete=True)
        if verdict.answer is Answer.BROKEN:
            yield Contradiction(f"lock writes what check calls {_code(verdict)}", document, _words(verdict))
        pinned = {**document, "packages": {name: pins[name] for name in document["packages"] if name in pins}}
    pinned = _varied(pinned)
    verdict = checked(pinned)
    resolution, sure = locked(pinned)
    if verdict.answer is Answer.WORKS and resolution is None and sure:
        yield Contradiction("lock refuses what check says works", pinned, _words(verdict))
    if verdict.answer is Answer.BROKEN and resolution is not None:
        yield Contradiction(f"lock finds what check calls {_code(verdict)}", pinned, _words(verdict))
    if verdict.answer is Answer.BROKEN:
        yield from _of_the_fix(pinned)


def _of_the_fix(document: Document) -> Iterator[Contradiction]:
    verdict = checked(document, fixes=True)
    fixes = verdict.problems[0].fixes
    if not fixes or not fixes[0].change:
        return  # nothing repairs it; or advice: another builder's TensorFlow
    fix = fixes[0]
    after = changed(document, fix.change)
    second = checked(after)
    code = _code(verdict)
    if second.answer is Answer.BROKEN:
        yield Contradiction(f"the first fix of {code} leaves {_code(second)}", document, f"{fix}\n  {_words(second)}")
        return
    resolution, sure = locked(after)
    if resolution is None and sure:
        yield Contradiction(f"lock refuses the first fix of {code}", document, f"{fix}\n  {_words(second)}")


def _varied(document: Document) -> Document:
    """The document with its first package at a neighbouring release; packages without a version get one."""
    chance = random.Random(json.dumps(document))
    packages = dict(document["packages"])
    for place, name in enumerate(packages):
        known = [each.version for each in knowledge().source.releases(Name(name)) if not each.version.is_prerelease]
        if not packages[name]:
            packages[name] = str(chance.choice(known))
        elif place == 0 and chance.random() < 0.7:
            here = next((at for at, version in enumerate(known) if str(version) == packages[name]), 0)
            packages[name] = str(known[min(max(here + chance.choice((-5, -2, -1, 1, 2, 5)), 0), len(known) - 1)])
    return {**document, "packages": packages}


def _code(verdict: Verdict) -> str:
    return verdict.problems[0].code


def _words(verdict: Verdict) -> str:
    return f"{verdict.answer}: " + "\n    ".join(map(_line, verdict.problems))


def _line(problem: Problem) -> str:
    return f"{problem.code} {problem.subject}: {'; '.join(problem.because)}"
