"""Fixes of what `check` found: the shared search over what is installed, and how a change is made."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.clash import ClashKind
from tfenv.check.question import Fixed
from tfenv.check.reinstalls import reinstalls
from tfenv.check.repairs import MOST, Repairs
from tfenv.check.solver import Solver
from tfenv.check.steps import Alteration, Wrong, steps
from tfenv.check.verdict import furthest, judge, relevant
from tfenv.check.words import code_of
from tfenv.facts.rocm import override
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.report import Fix, Problem, Verdict
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.commands import IMAGE, PACKAGE, install_command, lock_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfenv.check.clash import Clash
    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.resolver import Conflict, Resolution

_MANY = 20
"""With more packages than this, TensorFlow and the machine are looked at first, without them."""

_OF_PACKAGES = (ClashKind.VERSION, ClashKind.MISSING, ClashKind.ABSENT, ClashKind.FILE)
_ELSEWHERE = ("platform-no-gpu", "platform-no-wheel", "python-no-wheel", "gpu-too-new", "gpu-too-old")
"""Problems that another builder's TensorFlow may not have."""


def with_fixes(verdict: Verdict, question: Question, knowledge: Knowledge) -> Verdict:
    """The verdict with what repairs it; the first fix of the first problem repairs everything.

    Args:
        verdict: of the judge on the question.
        question: what was asked.
        knowledge: facts and releases.
    """
    if not verdict.problems:
        return verdict
    repairs = Fixes(question, knowledge)
    found = [] if question.target.foreign is not None else repairs.found(verdict.problems)
    fixes = [repairs.fix(step) for step in found]
    problems = []
    for problem in verdict.problems:
        unique: dict[object, Fix] = {}
        for fix in (*problem.fixes, *fixes, *repairs.elsewhere(problem)):
            unique.setdefault(fix.change or fix.command, fix)
        problems.append(replace(problem, fixes=tuple(sorted(unique.values(), key=_rank)[:MOST])))
    return replace(verdict, problems=tuple(problems))


def _rank(fix: Fix) -> tuple[int, bool]:
    """The cheapest first, and of equal ones those that keep the TensorFlow."""
    return fix.cost, "tf" in dict(fix.change)


class Fixes:
    """Fixes of one question, whose changes it judges and solves for the search.

    Args:
        question: what was asked; of several releases that its words name, the one that has the problems is mended.
        knowledge: facts and releases.
    """

    def __init__(self, question: Question, knowledge: Knowledge) -> None:
        self._releases = question.releases
        self._question = replace(question, releases=question.releases[:1])
        self._knowledge = knowledge
        self._solver = Solver(knowledge)

    def found(self, problems: tuple[Problem, ...]) -> list[Alteration]:
        """What repairs all problems; if nothing does, what repairs them with the GPU given up."""
        self._question = self._mended(problems[0])
        wrong = self.wrong(self._question)
        repairs = Repairs(self._question, wrong, self)
        if problems[0].code not in wrong.codes:  # only a log shows it: the rules cannot say that a change mends it
            return repairs.chosen(self._unjudged(wrong, problems[0].code))
        return repairs.found()

    def _mended(self, problem: Problem) -> Question:
        """The question about one release: the one that has a problem, where several or none are named."""
        releases = self._releases
        if not releases and problem.code != "tf-unknown" and self._question.accelerated:
            version = furthest(self._question, self._knowledge)
            releases = () if version is None else (version,)
        for version in releases:
            question = replace(self._question, releases=(version,))
            if problem.code in self.wrong(question).codes:
                return question
        return self._question

    def fix(self, step: Alteration) -> Fix:
        """A step as `check` shows it."""
        cost = step.cost + 2 * (self._compiles(step) and "tf" in dict(step.values))
        return Fix(
            change=step.values, command=self._command(step), cost=cost, solved=self._solver.has_solved(step.after)
        )

    def conflict(self) -> Conflict | None:
        """Why no lock has all that is fixed; ``None`` if one has."""
        return self._solver.conflict(self._question)

    def relaxed(self) -> list[Fix]:
        """The packages at the versions of the nearest lock."""
        resolution = self._solver.resolution(self._question)
        changed = [] if resolution is None else self._changed(self._question, resolution, set())
        if not changed:
            return []
        command = install_command(self._question.installer, [(one.name, one.specifier) for one in changed])
        return [Fix(change=_values(changed), command=command, cost=PACKAGE, solved=True)]

    def elsewhere(self, problem: Problem) -> Iterator[Fix]:
        """What serves a machine that no release on an index serves."""
        if problem.code not in _ELSEWHERE:
            return
        database, question = self._knowledge.database, self._question
        version = question.releases[0] if question.releases else database.releases.versions(TENSORFLOW)[0]
        says = [row.says for row in database.alternatives.of(version, question.target)]
        if question.target.foreign is not None:
            says.append(_of_foreign(question.target.foreign))
        for text in says:
            yield Fix(change=(), command=text, cost=IMAGE)
        if problem.code == "gpu-too-new":
            yield from map(self._for_gfx, question.target.gfx)

    def _for_gfx(self, gfx: str) -> Fix:
        """A build of AMD's that runs on a GPU, perhaps the code of another GPU of its generation."""
        found = self._knowledge.database.rocm.serving(gfx)
        if found is None:
            newer = "https://repo.radeon.com/rocm/manylinux/"
            return Fix(change=(), command=f"install a newer build of tensorflow-rocm from {newer}", cost=IMAGE)
        row, kin = found
        command = f"pip install tensorflow-rocm=={row.version}   # for ROCm {row.series}"
        if kin != gfx:
            command = f"export {override(kin)} && {command}; its code for {kin} then runs on {gfx}"
        return Fix(change=(("packages.tensorflow-rocm", str(row.version)),), command=command, cost=PACKAGE)

    def version_of(self, question: Question, name: Name, specifier: SpecifierSet) -> Version | None:
        """The version that a lock would take of a package; ``None`` if there is no lock, or no TensorFlow is named."""
        if not question.releases:
            return None
        resolution = self._solver.resolution(question.without(name), Requirement(name=name, specifier=specifier))
        return resolution.pins[name].version if resolution is not None and name in resolution.pins else None

    # what the search asks

    def wrong(self, question: Question) -> Wrong:
        """Codes of what is wrong, and what the machine lacks."""
        return self._summed(self._wrong(question))

    def _summed(self, found: list[tuple[str, Clash | None]]) -> Wrong:
        machine = [clash.requirement for _, clash in found if clash is not None and clash.kind is ClashKind.MACHINE]
        return Wrong(codes=frozenset(code for code, _ in found), machine=tuple(machine))

    def steps(self, question: Question, wrong: Wrong) -> Iterator[Alteration]:
        """Changes of what is asked, and of what is installed."""
        table = self._knowledge.database.releases
        offered = [version for version in table.versions(TENSORFLOW) if not version.is_prerelease]
        if question.releases or "tf-unknown" in wrong.codes:
            yield from steps(question, wrong, offered, self._knowledge)
        yield from reinstalls(question, wrong.codes, self._knowledge)

    def settled(self, step: Alteration, *, packages: bool = True) -> Alteration | None:
        """The step, and what of the packages has to change with it; ``None`` if something is still wrong then.

        Args:
            step: changes so far.
            packages: whether packages may change.
        """
        settled = self._settled(step, packages=packages)
        if settled is None or not settled.kinds & {"tf", "python", "gpu"} or not settled.after.releases:
            return settled
        return self._completed(settled) if self._solver.solves(settled.after) else None

    def _completed(self, step: Alteration) -> Alteration | None:
        """The step, with the versions of a lock for packages that are part of none; ``None`` if something is wrong."""
        after = step.after
        if after.complete or not after.fixed or self._solver.conflict(after) is None:
            return step
        resolution = self._solver.resolution(after)
        changed = [] if resolution is None else self._changed(after, resolution, set())
        if not changed:
            return step
        extended = _with_packages(step, changed)
        return None if self._wrong(extended.after) else extended

    def _unjudged(self, wrong: Wrong, first: str) -> Iterator[Alteration]:
        """Steps that concern a problem that the rules do not see, and that make no other."""
        if first == "loader-path":
            return  # what is installed is right: the signature says where to look for it
        concerned = Wrong(codes=frozenset({first}))
        for step in sorted(self.steps(self._question, concerned), key=lambda step: step.cost):
            if "tf" not in step.kinds and self.wrong(step.after).codes <= wrong.codes:
                yield step

    # judging

    def _clashes(self, question: Question) -> tuple[Clash, ...]:
        return relevant(self._solver.best(question).clashes, self._knowledge)

    def _wrong(self, question: Question) -> list[tuple[str, Clash | None]]:
        """Codes of what is wrong, each with its clash."""
        table = self._knowledge.database.distributions
        found: list[tuple[str, Clash | None]] = [(code_of(clash, table), clash) for clash in self._clashes(question)]
        others = [*question.problems]
        if question.said is not None and not question.releases:
            others += judge(question, self._knowledge).problems
        return [*found, *((problem.code, None) for problem in others)]

    def _compiles(self, step: Alteration) -> bool:
        """Whether the driver would have to compile PTX."""
        return any(caution.code == "ptx-jit" for caution in self._solver.best(step.after).cautions)

    # packages

    def _settled(self, step: Alteration, *, packages: bool) -> Alteration | None:
        wrong = self._left(step.after)
        if not wrong:
            too_new = any(code == "gpu-too-new" for code, _ in self._wrong(self._question))
            return None if not step.values or (too_new and self._compiles(step)) else step
        if not packages:
            return None
        names = set()
        for _, clash in wrong:
            if clash is None or clash.kind not in _OF_PACKAGES or self._is_of_tensorflow(clash, step.after):
                return None
            names |= {clash.parent[0], clash.requirement.name}
        resolution = self._solver.resolution(step.after)
        if resolution is None:
            return None
        changed = self._changed(step.after, resolution, names)
        if not changed:
            return None
        extended = _with_packages(step, changed)
        if self._wrong(extended.after):
            return None
        self._solver.solved(extended.after)
        return extended

    def _left(self, question: Question) -> list[tuple[str, Clash | None]]:
        """What is wrong; with many packages first without them, which takes a fraction of the time."""
        if question.releases and len(question.fixed) > _MANY:
            stack = tuple(one for one in question.fixed if one.name in (SYSTEM_CUDA, SYSTEM_CUDNN))
            if found := self._wrong(replace(question, fixed=stack, complete=False)):
                return found
        return self._wrong(question)

    def _is_of_tensorflow(self, clash: Clash, question: Question) -> bool:
        """Whether it is a file or release of TensorFlow that is missing, or the stack that it opens that differs."""
        own = self._knowledge.distribution(question, question.releases[0]) if question.releases else TENSORFLOW
        if clash.requirement.name in (SYSTEM_CUDA, SYSTEM_CUDNN):
            return True
        return clash.kind in (ClashKind.FILE, ClashKind.ABSENT) and clash.parent[0] == own

    def _changed(self, question: Question, resolution: Resolution, names: set[Name]) -> list[Fixed]:
        """Packages that the resolution has at other versions, and those that were missing."""
        found = []
        for name in sorted(resolution.pins):
            pin, fixed = resolution.pins[name], question.of(name)
            if self._knowledge.database.distributions.of(name) is not None or name.startswith("nvidia-"):
                continue
            if fixed is None and name not in names:
                continue
            if fixed is None or not fixed.specifier.contains(pin.version, prereleases=True):
                found.append(Fixed(name=name, specifier=SpecifierSet(f"=={pin.version}")))
        return found

    # words

    def _command(self, step: Alteration) -> str:
        table = self._knowledge.database.distributions
        specifiers = [
            (name, _exactly(value))
            for key, value in step.values
            if (name := key.removeprefix("packages.")) != key and table.of(name) is None and value != "none"
        ]
        if not {key for key, _ in step.values} & {"tf", "python", "gpu"}:
            install = install_command(step.after.installer, specifiers) if specifiers else ""
            return " && ".join(filter(None, (step.does, install)))
        goal = step.after.goal
        version = step.after.releases[0]
        wishes = tuple(
            Requirement(name=Name(name), specifier=specifier, source="--with")
            for name, specifier in specifiers
            if self._is_wanted(Name(name), step)
        )
        asked = SpecifierSet(f"=={version}") if "tf" in dict(step.values) else self._said()
        command = lock_command(replace(goal, tensorflow=asked, requirements=wishes), cpu="gpu" in dict(step.values))
        return " && ".join(filter(None, (command, step.does)))

    def _is_wanted(self, name: Name, step: Alteration) -> bool:
        """Whether a lock would not bring the package by itself."""
        return not any(name in names for names in self._solver.best(step.after).requires.values())

    def _said(self) -> SpecifierSet:
        said = self._question.said or ""
        try:
            version = Version(said)
        except ValueError:
            return SpecifierSet(said)
        return SpecifierSet(f"=={version}" if len(version.release) > 2 else f"=={version}.*")


def _with_packages(step: Alteration, changed: Sequence[Fixed]) -> Alteration:
    """The step, and these packages at their versions."""
    return replace(
        step,
        values=(*step.values, *_values(changed)),
        after=step.after.fixing(*changed),
        cost=step.cost + PACKAGE,
        kinds=step.kinds | {"packages"},
    )


def _values(changed: Sequence[Fixed]) -> tuple[tuple[str, str], ...]:
    return tuple((f"packages.{one.name}", _text(one)) for one in changed)


def _exactly(value: str) -> SpecifierSet:
    return SpecifierSet(value if value[:1] in "<>=!~" else f"=={value}")


def _text(one: Fixed) -> str:
    return str(one.version) if one.version is not None else str(one.specifier)


def _of_foreign(said: str) -> str:
    """Where to go from a platform that has no wheels."""
    if re.search("alpine|musl", said, re.IGNORECASE):
        return "take an image with glibc, such as `python:3.12-slim` (Debian) or the one that `tfenv build` makes"
    if re.search("raspb|arm", said, re.IGNORECASE):
        return "install a 64 bit system (aarch64); for 32 bit Arm there are only wheels of others, and tflite-runtime"
    return "take a 64 bit Python on 64 bit Linux with glibc, Windows or macOS"
