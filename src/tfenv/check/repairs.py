"""Changes that repair everything that was found, cheapest first; each is judged again and solved before it is shown."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.clash import ClashKind
from tfenv.check.question import Fixed
from tfenv.check.solver import Solver
from tfenv.check.steps import Alteration, steps, without_gpu
from tfenv.check.verdict import relevant
from tfenv.check.words import code_of
from tfenv.facts.rocm import override
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.report import Fix, Problem, Verdict
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.commands import IMAGE, PACKAGE, install_command, lock_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.check.clash import Clash
    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.resolver import Conflict, Resolution

MOST = 6
"""More than this nobody reads."""

_ENOUGH: dict[tuple[str, ...], int] = {("python",): 3, ("cudnn",): 2}
"""How many changes of one kind are shown; of others one."""

_MANY = 20
"""With more packages than this, TensorFlow and the machine are looked at first, without them."""

_OF_PACKAGES = (ClashKind.VERSION, ClashKind.MISSING, ClashKind.ABSENT, ClashKind.FILE)
_ELSEWHERE = ("platform-no-gpu", "platform-no-wheel", "python-no-wheel", "gpu-too-new", "gpu-too-old")
"""Problems that another builder's TensorFlow may not have."""

_OF_THE_RELEASE = frozenset({"gpu-too-old", "gpu-too-new"})
"""Problems that only another release of TensorFlow mends."""


def with_fixes(verdict: Verdict, question: Question, knowledge: Knowledge) -> Verdict:
    """The verdict with what repairs it; the first fix of the first problem repairs everything.

    Args:
        verdict: of the judge on the question.
        question: what was asked.
        knowledge: facts and releases.
    """
    if not verdict.problems:
        return verdict
    repairs = Repairs(question, knowledge)
    found = [] if question.foreign is not None else repairs.found(verdict.problems)
    fixes = [repairs.fix(step) for step in found]
    problems = []
    for problem in verdict.problems:
        unique: dict[object, Fix] = {}
        for fix in (*problem.fixes, *fixes, *repairs.elsewhere(problem)):
            unique.setdefault(fix.change or fix.command, fix)
        problems.append(replace(problem, fixes=tuple(sorted(unique.values(), key=lambda fix: fix.cost)[:MOST])))
    return replace(verdict, problems=tuple(problems))


class Repairs:
    """The search for one question.

    Args:
        question: what was asked; of several releases that its words name, the one that has the problems is mended.
        knowledge: facts and releases.
    """

    def __init__(self, question: Question, knowledge: Knowledge) -> None:
        self._releases = question.releases
        self._question = replace(question, releases=question.releases[:1])
        self._knowledge = knowledge
        self._kinds: Counter[tuple[str, ...]] = Counter()
        self._solver = Solver(knowledge)

    def found(self, problems: tuple[Problem, ...]) -> list[Alteration]:
        """What repairs all problems; if nothing does, what repairs them with the GPU given up."""
        for version in self._releases:  # the verdict is on one of them
            question = replace(self._question, releases=(version,))
            if problems[0].code in {code for code, _ in self._wrong(question)}:
                self._question = question
                break
        start = Alteration(after=self._question)
        known = {code for code, _ in self._wrong(self._question)}
        if problems[0].code not in known:  # only a log shows it: the rules cannot say that a change mends it
            return self._chosen(self._unjudged(start, known, problems[0].code))
        if not self._question.releases:
            return self._chosen(self._alone())
        return self._chosen(self._whole(start, known)) or self._chosen(self._on_the_cpu())

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
        values = tuple((f"packages.{one.name}", _text(one)) for one in changed)
        command = install_command(self._question.installer, [(one.name, one.specifier) for one in changed])
        return [Fix(change=values, command=command, cost=PACKAGE, solved=True)]

    def elsewhere(self, problem: Problem) -> Iterator[Fix]:
        """What serves a machine that no release on an index serves."""
        if problem.code not in _ELSEWHERE:
            return
        database, question = self._knowledge.database, self._question
        version = question.releases[0] if question.releases else database.releases.versions(TENSORFLOW)[0]
        says = [row.says for row in database.alternatives.of(version, question.target)]
        if question.foreign is not None:
            says.append(_of_foreign(question.foreign))
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

    # the search

    def _whole(self, start: Alteration, codes: set[str]) -> Iterator[Alteration]:
        """Steps after which nothing is wrong: packages alone, one change, then up to three."""
        alone = self._settled(start)
        if alone is not None:
            yield alone
            if start.after.complete:
                return  # an environment is mended with what it takes, and no more
        singles = sorted(steps(start.after, codes, self._knowledge), key=lambda step: step.cost)
        failed, found = [], alone is not None
        for step in singles:
            if self._has_enough(step):
                continue
            # what packages alone mend needs no other change beside them
            settled = self._settled(step, packages=alone is None)
            if settled is not None:
                found = True
                yield settled
            else:
                failed.append(step)
        if found:
            return
        for step in failed:
            left = {code for code, _ in self._left(step.after)}
            if codes <= left and "tf" not in step.kinds:
                continue  # it mends nothing
            if (whole := self._further(step, 2)) is not None:
                yield whole

    def _further(self, step: Alteration, more: int) -> Alteration | None:
        """The step with up to `more` others that mend what it leaves; ``None`` if they do not mend it all."""
        left = {code for code, _ in self._left(step.after)}
        if left & _OF_THE_RELEASE:
            return None
        parts: dict[frozenset[str], Alteration] = {}
        for second in sorted(steps(step.after, left, self._knowledge), key=lambda step: step.cost):
            both = step.then(second)
            if second.kinds & step.kinds or "tf" in second.kinds or self._has_enough(both):
                continue
            settled = self._settled(both)
            if settled is not None:
                return settled
            if more > 1 and second.kinds not in parts and {code for code, _ in self._left(both.after)} < left:
                parts[second.kinds] = both
        return next((whole for part in parts.values() if (whole := self._further(part, more - 1)) is not None), None)

    def _on_the_cpu(self) -> Iterator[Alteration]:
        """The GPU given up, where nothing else mends everything."""
        if self._question.accelerated:
            step = without_gpu(self._question)
            whole = self._settled(step) or self._further(step, 2)
            if whole is not None:
                yield whole

    def _unjudged(self, start: Alteration, codes: set[str], first: str) -> Iterator[Alteration]:
        """Steps that concern a problem that the rules do not see, and that make no other."""
        if first == "loader-path":
            return  # what is installed is right: the signature says where to look for it
        for step in sorted(steps(start.after, {first}, self._knowledge), key=lambda step: step.cost):
            if "tf" not in step.kinds and {code for code, _ in self._wrong(step.after)} <= codes:
                yield step

    def _alone(self) -> Iterator[Alteration]:
        """Without TensorFlow: the packages among themselves."""
        settled = self._settled(Alteration(after=self._question))
        if settled is not None and settled.values:
            yield settled

    def _chosen(self, found: Iterator[Alteration]) -> list[Alteration]:
        """A few of each kind; another TensorFlow or Python only if there is a lock for it."""
        kept: list[Alteration] = []
        self._kinds.clear()
        for step in found:
            if self._has_enough(step) or (step.kinds & {"tf", "python", "gpu"} and not self._solver.solves(step.after)):
                continue
            self._kinds[self._kind(step)] += 1
            kept.append(step)
            if len(kept) >= MOST:
                break
        return kept

    def _kind(self, step: Alteration) -> tuple[str, ...]:
        """What changes; another TensorFlow may be a newer or an older one."""
        values = dict(step.values)
        kind = tuple(sorted(key for key in values if not key.startswith("packages.")))
        now = self._question.releases[0] if self._question.releases else None
        return (
            kind if "tf" not in values or now is None else (*kind, "newer" if Version(values["tf"]) > now else "older")
        )

    def _has_enough(self, step: Alteration) -> bool:
        """Whether as many of its kind are kept as are shown."""
        kind = self._kind(step)
        return self._kinds[kind] >= _ENOUGH.get(kind, 1)

    # judging

    def _clashes(self, question: Question) -> tuple[Clash, ...]:
        return relevant(self._solver.best(question).clashes, self._knowledge)

    def _wrong(self, question: Question) -> list[tuple[str, Clash | None]]:
        """Codes of what is wrong, each with its clash."""
        table = self._knowledge.database.distributions
        found: list[tuple[str, Clash | None]] = [(code_of(clash, table), clash) for clash in self._clashes(question)]
        return [*found, *((problem.code, None) for problem in question.problems)]

    def _compiles(self, step: Alteration) -> bool:
        """Whether the driver would have to compile PTX."""
        return any(caution.code == "ptx-jit" for caution in self._solver.best(step.after).cautions)

    # packages

    def _settled(self, step: Alteration, *, packages: bool = True) -> Alteration | None:
        """The step, and what of the packages has to change with it; ``None`` if something is still wrong then.

        Args:
            step: changes so far.
            packages: whether packages may change.
        """
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
        after = step.after.fixing(*changed)
        if self._wrong(after):
            return None
        self._solver.solved(after)
        values = tuple((f"packages.{one.name}", _text(one)) for one in changed)
        return Alteration(
            values=(*step.values, *values),
            after=after,
            cost=step.cost + PACKAGE,
            does=step.does,
            kinds=step.kinds | {"packages"},
        )

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
