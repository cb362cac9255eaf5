"""Single changes of what is asked that may mend it, each with its cost. The search finds out what they mend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.model.goal import OLDEST_PYTHON
from tfenv.model.hardware import driver_of, driver_text
from tfenv.model.target import Accelerator, Platform
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver import Kind
from tfenv.resolver.candidate import PYTHON
from tfenv.resolver.commands import CPU as ON_THE_CPU
from tfenv.resolver.commands import DRIVER, IMAGE, LESS, PATCH, PIN, RELEASE, SYSTEM
from tfenv.resolver.commands import PYTHON as OTHER_PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.facts.database import Database
    from tfenv.model.goal import Goal
    from tfenv.model.package import Requirement
    from tfenv.resolver import Part

OPEN = ""
"""Value of a change that the solution decides."""

FILES = frozenset(
    {"python-no-wheel", "platform-no-wheel", "package-incompatible", "keras-mismatch", "companion-mismatch"}
)
"""Problems that another Python may mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alteration:
    """One or several changes.

    Attributes:
        values: keys of the configuration and their new values, as `Fix.change` has them.
        after: question with the changes.
        cost: cost; lower is cheaper.
        does: command or action that `tfenv lock` does not do.
        kinds: what changes: `tf`, `python`, `libraries`, `driver`, `place`, `gpu`, `packages`, `owners`, `request`.
        says: what the solution has, in words; empty if it was not solved.
    """

    values: tuple[tuple[str, str], ...] = ()
    after: Question
    cost: int = 0
    does: str = ""
    kinds: frozenset[str] = frozenset()
    says: str = ""

    def then(self, second: Alteration) -> Alteration:
        """Both, where the second starts from the first."""
        return Alteration(
            values=(*self.values, *second.values),
            after=second.after,
            cost=self.cost + second.cost,
            does=" && ".join(filter(None, (self.does, second.does))),
            kinds=self.kinds | second.kinds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with a question, as far as a change can concern it.

    Attributes:
        codes: codes of problems.
        parts: wishes that conflict, of a question that `lock` asks; empty if what is installed was judged.
        machine: requirements on the machine that it does not meet.
    """

    codes: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()
    machine: tuple[Requirement, ...] = ()

    def is_within(self, other: Wrong) -> bool:
        """Whether all of it is in the other, too."""
        return self.codes <= other.codes and set(self.parts) <= set(other.parts)


def steps(question: Question, wrong: Wrong, offered: Sequence[Version], knowledge: Knowledge) -> Iterator[Alteration]:
    """What may mend a question, cheapest first within a kind.

    Args:
        question: with at most one release of TensorFlow where what is installed was judged.
        wrong: what is wrong with it.
        offered: final releases of TensorFlow, newest first.
        knowledge: facts and releases.
    """
    kinds, codes = {part.kind for part in wrong.parts}, wrong.codes
    if Kind.DRIVER in kinds or any(code.startswith("driver") for code in codes):
        yield from _drivers(question, wrong, knowledge.database)
    if Kind.PYTHON in kinds or FILES & codes:
        yield from _pythons(question, knowledge)
    if Kind.ACCELERATOR in kinds or {"platform-no-gpu", "platform-no-wheel"} & codes:
        yield from _wsl(question)
    if Kind.GLIBC in kinds or "glibc-too-old" in codes:
        yield from _glibcs(question, wrong, knowledge.database)
    if Kind.CPU in kinds or "cpu-instruction-missing" in codes:
        yield from _processors(question, wrong)
    if Kind.GPU in kinds or {"gpu-too-old", "gpu-too-new"} & codes:
        yield from _fewer_gpus(question)
    if Kind.CUDA in kinds:
        after = question.on(cuda_major=None, rocm=None)
        yield Alteration(values=(("gpu", OPEN),), after=after, cost=OTHER_PYTHON, kinds=frozenset({"request"}))
    for part in wrong.parts:
        yield from _wishes(part, question)
    if Kind.TENSORFLOW in kinds or not wrong.parts:
        yield from _releases(question, offered, knowledge)


def release(question: Question, version: Version, cost: int) -> Alteration:
    """Another TensorFlow."""
    goal = replace(question.goal, tensorflow=SpecifierSet(f"=={version}"))
    after = replace(question, said=str(version), releases=(version,), goal=goal)
    return Alteration(values=(("tf", str(version)),), after=after, cost=cost, kinds=frozenset({"tf"}))


def without_gpu(question: Question) -> Alteration:
    """The same on the CPU."""
    after = question.on(accelerator=Accelerator.NONE, gpus=(), gfx=(), driver=None, cuda_major=None, rocm=None)
    after = replace(after, accelerated=False, problems=(), unknown=()).without(SYSTEM_CUDA, SYSTEM_CUDNN)
    return Alteration(values=(("gpu", "none"),), after=after, cost=ON_THE_CPU, kinds=frozenset({"gpu"}))


def pythons_near(question: Question, knowledge: Knowledge) -> list[Version]:
    """Pythons that the release has a wheel for and `tfenv lock` an image, nearest first, then newest."""
    version = question.releases[0]
    known = {each.release[:2] for each in knowledge.database.images.pythons if each >= OLDEST_PYTHON}
    name = knowledge.distribution(question, version)
    here = [each for each in knowledge.pythons(name, version, question.target) if each.release[:2] in known]
    now = question.target.python
    return sorted(here, key=lambda each: 0 if now is None else distance(each, now))


def distance(one: Version, other: Version) -> int:
    """How many minors lie between two Pythons."""
    return abs(one.minor - other.minor) if one.major == other.major else 100


def _pythons(question: Question, knowledge: Knowledge) -> Iterator[Alteration]:
    """The Pythons of the release; of several releases whichever the solution has."""
    now, kinds = question.target.python, frozenset({"python"})
    if len({each.release[:2] for each in question.releases}) != 1:
        if now is not None:
            after = question.on(python=None)
            yield Alteration(values=(("python", OPEN),), after=after, cost=OTHER_PYTHON, kinds=kinds)
        return
    for python in pythons_near(question, knowledge):
        if now is None or python.release[:2] != now.release[:2]:
            values = (("python", str(python)),)
            yield Alteration(values=values, after=question.on(python=python), cost=OTHER_PYTHON, kinds=kinds)


def _drivers(question: Question, wrong: Wrong, database: Database) -> Iterator[Alteration]:
    """The driver that is asked for, or a branch that still serves the GPU; if only a log shows it, any of a toolkit."""
    target, bounds = question.target, _bounds(wrong, "__driver")
    floors = {version for operator, version in bounds if operator == ">="}
    branches = {version.major - 1 for operator, version in bounds if operator == "<"}
    if not bounds and "driver-too-new" in wrong.codes:
        branches = {row.last_driver_branch for row in database.gpus.all if row.last_driver_branch is not None}
    elif not bounds:
        floors = _of_toolkits(target.platform, database)
    for driver in sorted(floors):
        if target.driver is None or driver > target.driver:
            text = driver_text(driver)
            yield Alteration(
                values=(("driver", text),),
                after=question.on(driver=driver),
                cost=DRIVER,
                does=f"upgrade the NVIDIA driver to ≥ {text}",
                kinds=frozenset({"driver"}),
            )
    for branch in sorted(branches, reverse=True):
        yield Alteration(
            values=(("driver", str(branch)),),
            after=question.on(driver=driver_of(Version(str(branch)))),
            cost=DRIVER,
            does=f"install a driver of branch {branch}",
            kinds=frozenset({"driver"}),
        )


def _of_toolkits(platform: Platform, database: Database) -> set[Version]:
    """The lowest driver of each toolkit."""
    windows = platform in (Platform.WINDOWS_X86_64, Platform.WSL)
    return {
        driver
        for one in database.cuda.all
        for driver in ((one.driver_windows, one.compat_windows) if windows else (one.driver_linux, one.compat_linux))
        if driver is not None
    }


def _bounds(wrong: Wrong, name: str) -> list[tuple[str, Version]]:
    """What is required of the machine, the mildest first."""
    found = {
        (one.operator, Version(one.version)) for each in wrong.machine if each.name == name for one in each.specifier
    }
    return sorted(found)


def _glibcs(question: Question, wrong: Wrong, database: Database) -> Iterator[Alteration]:
    """A system with the glibc that is asked for, or an image with its own."""
    kinds = frozenset({"place"})
    for operator, glibc in _bounds(wrong, "__glibc"):
        if operator == ">=":
            values, does = (("glibc", str(glibc)),), f"use a system with glibc ≥ {glibc}"
            yield Alteration(values=values, after=question.on(glibc=glibc), cost=SYSTEM, does=does, kinds=kinds)
    glibc = database.images.all[0].glibc
    values, does = (("glibc", str(glibc)),), "tfenv build   # the image brings its own, newer glibc and libstdc++"
    yield Alteration(values=values, after=question.on(glibc=glibc), cost=IMAGE, does=does, kinds=kinds)


def _processors(question: Question, wrong: Wrong) -> Iterator[Alteration]:
    """A processor with the instructions that are asked for."""
    has = question.target.cpu
    lacking = {word for each in wrong.machine if each.name == "__cpu" for word in each.extras - (has or frozenset())}
    if has is None or not lacking:
        return
    words = " and ".join(sorted(word.upper() for word in lacking))
    yield Alteration(
        values=(("cpu", words),),
        after=question.on(cpu=has | lacking),
        cost=LESS,
        does=f"use a processor with {words}",
        kinds=frozenset({"place"}),
    )


def _wsl(question: Question) -> Iterator[Alteration]:
    if question.target.platform is Platform.WINDOWS_X86_64:
        does = "wsl --install   # then the same in WSL"
        after = question.on(platform=Platform.WSL)
        yield Alteration(values=(("os", "wsl"),), after=after, cost=SYSTEM, does=does, kinds=frozenset({"place"}))


def _fewer_gpus(question: Question) -> Iterator[Alteration]:
    """One of several GPUs left unused."""
    gpus = question.target.gpus
    for number, gpu in enumerate(gpus if len(gpus) > 1 else ()):
        others = (*gpus[:number], *gpus[number + 1 :])
        yield Alteration(
            values=(("gpu", ", ".join(each.name for each in others)),),
            after=question.on(gpus=others),
            cost=LESS,
            does=f"leave {gpu.name} unused",
            kinds=frozenset({"request"}),
        )


def _wishes(part: Part, question: Question) -> Iterator[Alteration]:
    """A wish of the request without its bounds, or left out."""
    goal = question.goal
    if part.kind is Kind.CONSTRAINT:
        bound = goal.constraints[part.number]
        rest = (*goal.constraints[: part.number], *goal.constraints[part.number + 1 :])
        does = f"lift the constraint `{bound}` ({bound.source})"
        yield _wish(question, replace(goal, constraints=rest), f"packages.{bound.name}", "any", PIN, does)
    elif part.kind is Kind.REQUIREMENT:
        yield from _relaxed(part.number, question)
    elif part.kind is Kind.KERAS and goal.keras is not None:
        other = 5 - goal.keras  # the majors are 2 and 3
        yield _wish(question, replace(goal, keras=other), "keras", str(other), PIN)
        yield _wish(question, replace(goal, keras=None), "keras", "any", PIN, "use the release's own Keras")
    elif part.kind is Kind.NEWER:
        does = "allow what was published since"
        yield _wish(question, replace(goal, exclude_newer=None), "exclude-newer", "none", PIN, does)


def _relaxed(number: int, question: Question) -> Iterator[Alteration]:
    """A requirement at any version, or left out."""
    goal = question.goal
    wanted = goal.requirements[number]
    where = wanted.source
    words = f"`{wanted}`" + (f" ({where})" if where and not where.startswith("--with") else "")
    before, after = goal.requirements[:number], goal.requirements[number + 1 :]
    key = "python" if wanted.name == PYTHON else f"packages.{wanted.name}"
    if wanted.specifier and wanted.name != PYTHON:
        relaxed = replace(goal, requirements=(*before, replace(wanted, specifier=SpecifierSet()), *after))
        yield _wish(question, relaxed, key, OPEN, PIN, f"`{wanted.name}=={{}}` instead of {words}")
    cost, value = (OTHER_PYTHON, "any") if wanted.name == PYTHON else (LESS, "none")
    yield _wish(question, replace(goal, requirements=(*before, *after)), key, value, cost, f"leave out {words}")


def _wish(question: Question, goal: Goal, key: str, value: str, cost: int, does: str = "") -> Alteration:
    after, kinds = replace(question, goal=goal), frozenset({f"request {key} {value}"})
    return Alteration(values=((key, value),), after=after, cost=cost, does=does, kinds=kinds)


def _releases(question: Question, offered: Sequence[Version], knowledge: Knowledge) -> Iterator[Alteration]:
    """Every patch of the minor, and the newest of every other minor; nearest first."""
    mine = question.releases[0] if question.releases else _lowest(question.said or "")
    if mine is None or not offered:
        return
    wanted = [
        requirement.specifier
        for one in question.fixed
        if one.version is not None
        for requirement in knowledge.declared(one.name, one.version)
        if knowledge.database.distributions.of(requirement.name) is not None and str(requirement.specifier)
    ]
    series: dict[tuple[int, ...], list[Version]] = {}
    for version in reversed(offered):
        series.setdefault(version.release[:2], []).insert(0, version)
    stems = list(series)
    place = {stem: number for number, stem in enumerate(stems)}
    here = place.get(mine.release[:2], len(stems) if mine.release[:2] > stems[-1] else 0)
    for number, stem in sorted(enumerate(stems), key=lambda pair: (abs(pair[0] - here), -pair[0])):
        same = stem == mine.release[:2]
        cost = PATCH if same else RELEASE + (abs(number - here) - 1) // 4
        stable = series[stem]
        companions = [each for each in stable if all(one.contains(each) for one in wanted)] if wanted else []
        others = [each for each in stable if each != mine] if same else [*companions[:1], *stable[:1]]
        for version in dict.fromkeys(others):
            yield release(question, version, cost)


def _lowest(said: str) -> Version | None:
    """The lowest release that words name."""
    try:
        return Version(said)
    except InvalidVersion:
        named = [Version(one.version.removesuffix(".*")) for one in SpecifierSet(said)]
        return min(named, default=None)
