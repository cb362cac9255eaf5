"""The refusal of a goal: the chain of reasons, with changes that were solved, or the reason why there are none."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.question import Question
from tfenv.check.repairs import Repairs
from tfenv.check.steps import OPEN, Alteration, Wrong, steps
from tfenv.errors import NoSolution
from tfenv.model.package import TENSORFLOW, TENSORFLOWS
from tfenv.model.report import Fix
from tfenv.model.target import Accelerator
from tfenv.resolver import Conflict, Kind, Part, explain
from tfenv.resolver.candidate import is_virtual
from tfenv.resolver.commands import lock_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tfenv.check.knowledge import Knowledge
    from tfenv.model.goal import Goal
    from tfenv.model.report import Problem
    from tfenv.resolver import Resolution

_SECONDS = 5
"""Time after which no further change is tried."""

_OF_THE_GPU = ("__compute_capability", "__cuda", "__known_bad", "__platform", "__rocm")
"""Requirements that are not met if no release on an index serves the GPU."""

_WORDS = {
    Kind.TENSORFLOW: "the release of TensorFlow",
    Kind.PYTHON: "the Python",
    Kind.CUDA: "the CUDA release",
    Kind.GPU: "the GPU",
    Kind.DRIVER: "the driver",
    Kind.GLIBC: "glibc",
    Kind.CPU: "the processor",
    Kind.KERAS: "the Keras",
    Kind.NEWER: "`--exclude-newer`",
    Kind.REQUIREMENT: "the packages",
    Kind.CONSTRAINT: "the constraints",
}
"""Parts of a goal that can change, in words."""


class Refusal:
    """Changes of one goal that cannot be met, judged and solved for the search that `check` shares.

    Args:
        goal: what was asked for.
        wrong: parts of it that conflict.
        knowledge: facts and releases.
        offered: final releases of TensorFlow, newest first.
        attempt: solves a goal and asks the judge about the lock; ``None`` if the judge calls it broken.
        narrow: finds the smallest conflict in a goal.
        persists: whether the conflict that was found contradicts a changed goal too.
    """

    def __init__(
        self,
        goal: Goal,
        wrong: Wrong,
        knowledge: Knowledge,
        *,
        offered: Sequence[Version],
        attempt: Callable[[Goal], Resolution | None],
        narrow: Callable[[Conflict, Goal], Conflict],
        persists: Callable[[Goal], bool] = lambda _changed: False,
    ) -> None:
        self._goal = goal
        self._start = wrong
        self._knowledge = knowledge
        self._offered = offered
        self._attempt = attempt
        self._narrow = narrow
        self._persists = persists
        self._failed: dict[Goal, Conflict] = {}
        self._until = time.monotonic() + _SECONDS

    def fixes(self) -> list[Fix]:
        """What was solved, cheapest first; `says` of each is filled."""
        asked = self._goal.tensorflow
        question = Question(
            said=str(asked) or None,
            releases=tuple(version for version in self._offered if version in asked) if asked else (),
            goal=self._goal,
            accelerated=self._goal.target.accelerator is not Accelerator.NONE,
        )
        unique: dict[str, Fix] = {}
        for step in Repairs(question, self._start, self).found():
            command = lock_command(step.after.goal, cpu=("gpu", "none") in step.values)
            fix = Fix(change=step.values, command=command, cost=step.cost, solved=True, says=step.says)
            unique.setdefault(command, fix)
        return list(unique.values())

    def reason(self) -> str:
        """Why there is no fix, in one sentence."""
        names = [_WORDS[kind] for kind in dict.fromkeys(part.kind for part in self._start.parts) if kind in _WORDS]
        if self._is_late:
            return f"no change of {_or(names)} was found to work within {_SECONDS} seconds"
        if not names:
            return "nothing that the request names can be changed"
        return f"no change of {_or(names)} was found to work; all of them were tried"

    # what the search asks

    def wrong(self, question: Question) -> Wrong:
        """What conflicts in a goal that failed."""
        conflict = self._failed.get(question.goal)
        if self._is_late or conflict is None:
            return self._start
        return wrong_of(self._narrow(conflict, question.goal))

    def steps(self, question: Question, wrong: Wrong) -> Iterator[Alteration]:
        """Changes of the goal."""
        if not self._is_late:
            yield from steps(question, wrong, self._offered, self._knowledge)

    def settled(self, step: Alteration, *, packages: bool = True) -> Alteration | None:  # noqa: ARG002  # all may change
        """The step with what its solution has; ``None`` if it has none, or if `check` would call it broken."""
        goal = step.after.goal
        if not step.values or self._is_late or ("tf" in step.kinds and self._persists(goal)):
            return None
        try:
            resolution = self._attempt(goal)
        except Conflict as conflict:
            self._failed[goal] = conflict
            return None
        return None if resolution is None else _filled(step, resolution)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._until


def refused(
    core: Conflict,
    goal: Goal,
    knowledge: Knowledge,
    *,
    shown: Goal,
    attempt: Callable[[Goal], Resolution | None],
    narrow: Callable[[Conflict, Goal], Conflict],
    assumed: Collection[Kind] = (),
) -> NoSolution:
    """The error for a goal that has no solution.

    Args:
        core: smallest conflict.
        goal: what was asked for.
        knowledge: facts and releases.
        shown: the goal with what is assumed of the machine.
        attempt: as of `Refusal`.
        narrow: as of `Refusal`.
        assumed: parts of it that nobody asked for.
    """
    error = explain(core, shown, assumed=assumed)
    if not core.is_proven:
        error.hint = "ask for fewer packages, or pin some of them; no change was tried, because each takes as long"
        return error
    refusal = Refusal(
        goal,
        wrong_of(core),
        knowledge,
        offered=core.offered,
        attempt=attempt,
        narrow=narrow,
        persists=core.persists,
    )
    error.hint = "\n".join([hint(refusal.fixes(), refusal), *_alternatives(core, goal, knowledge)])
    return error


def judged_broken(
    subject: str,
    problems: Sequence[Problem],
    goal: Goal,
    knowledge: Knowledge,
    *,
    attempt: Callable[[Goal], Resolution | None],
    narrow: Callable[[Conflict, Goal], Conflict],
) -> NoSolution:
    """The error for a goal whose lock `check` calls broken, with the reasons of `check`.

    Args:
        subject: release of TensorFlow that was locked.
        problems: what `check` found.
        goal: what was asked for.
        knowledge: facts and releases.
        attempt: as of `Refusal`.
        narrow: as of `Refusal`.
    """
    because = [f"  because {reason}" for problem in problems for reason in problem.because]
    wishes = enumerate(goal.requirements)
    parts = [Part(kind=Kind.REQUIREMENT, name=wish.name, number=number) for number, wish in wishes]
    parts += [Part(kind=Kind.TENSORFLOW)] if goal.tensorflow else []
    parts += [Part(kind=Kind.PYTHON)] if goal.target.python is not None else []
    offered = [each.version for each in knowledge.source.releases(TENSORFLOW) if not each.version.is_prerelease]
    refusal = Refusal(goal, Wrong(parts=tuple(parts)), knowledge, offered=offered, attempt=attempt, narrow=narrow)
    words = hint(refusal.fixes(), refusal)
    return NoSolution(
        "\n".join([f"{subject} with these packages would not work", *because]),
        hint=f"{words}\n`--force-broken` locks it anyway",
    )


def hint(fixes: Sequence[Fix], refusal: Refusal) -> str:
    """What to do: the fixes, or why there are none."""
    if not fixes:
        return refusal.reason()
    width = max(len(fix.command) for fix in fixes)
    lines = [f"  {fix.command:<{width}}   {fix.says}" for fix in fixes]
    return "\n".join(["this works" if len(fixes) == 1 else "any one of these works, cheapest first", *lines])


def _alternatives(conflict: Conflict, goal: Goal, knowledge: Knowledge) -> list[str]:
    """Other builds that use the GPU, where no release on an index does."""
    named = [Version(one.version.removesuffix(".*")) for one in goal.tensorflow]
    version = min(named, default=None) if conflict.attempt is None else conflict.attempt.version
    cuda = goal.target.accelerator is Accelerator.CUDA
    if version is None or (cuda and not any(link.requirement.name in _OF_THE_GPU for link in conflict.links)):
        return []
    found = knowledge.database.alternatives.of(version, goal.target)
    lines = [f"  {one.says}   [{one.source}]" for one in found]
    return ["other ways to use the GPU:", *lines] if lines else []


def wrong_of(conflict: Conflict) -> Wrong:
    """The parts of a goal that conflict, and what the machine lacks."""
    return Wrong(
        parts=tuple(part for part in conflict.parts if not part.kind.is_fact),
        machine=tuple(link.requirement for link in conflict.links if is_virtual(link.requirement.name)),
    )


def _filled(step: Alteration, resolution: Resolution) -> Alteration:
    """The step with what the solution decided, and a clause about the solution."""
    goal, values, does = step.after.goal, [], step.does
    for key, value in step.values:
        decided = value
        if value == OPEN and key == "python":
            decided = f"{resolution.python.major}.{resolution.python.minor}"
            goal = replace(goal, target=replace(goal.target, python=Version(decided)))
        elif value == OPEN and key == "gpu":
            goal, decided = _with_cuda(goal, resolution)
        elif value == OPEN:
            goal, decided = _pinned(goal, key.removeprefix("packages."), resolution)
        does = does.replace("{}", decided, 1) if value == OPEN else does
        values.append((key, decided))
    version = next(resolution.pins[name].version for name in TENSORFLOWS if name in resolution.pins)
    summary = f"TensorFlow {version} on Python {resolution.python.major}.{resolution.python.minor}"
    runs = "runs on the CPU only" if ("gpu", "none") in values else ""
    return replace(
        step,
        values=tuple(values),
        after=replace(step.after, goal=goal),
        says="; ".join(filter(None, (does, runs, summary))),
    )


def _with_cuda(goal: Goal, resolution: Resolution) -> tuple[Goal, str]:
    """The goal with the CUDA or ROCm that was chosen, and its name as `--gpu` takes it."""
    rocm = goal.target.accelerator is Accelerator.ROCM
    name = "__rocm" if rocm else "__cuda"
    asked = [need.requirement.specifier for need in resolution.needs if need.requirement.name == name]
    versions = sorted(Version(one.version.removesuffix(".*")) for specifier in asked for one in specifier)
    if not versions:
        return goal, "rocm" if rocm else "cuda"
    if rocm:
        return replace(goal, target=replace(goal.target, rocm=versions[0])), f"rocm{versions[0]}"
    return replace(goal, target=replace(goal.target, cuda_major=versions[0].major)), f"cuda{versions[0].major}"


def _pinned(goal: Goal, name: str, resolution: Resolution) -> tuple[Goal, str]:
    """The goal with a requirement at the version that was chosen."""
    pin = next((pin for pin in resolution.pins.values() if pin.name == name), None)
    if pin is None:
        return goal, "any"
    wishes = tuple(
        replace(wish, specifier=SpecifierSet(f"=={pin.version}")) if wish.name == name and not wish.specifier else wish
        for wish in goal.requirements
    )
    return replace(goal, requirements=wishes), str(pin.version)


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
