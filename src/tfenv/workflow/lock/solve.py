"""From a goal to a lock: indexes and facts, resolved for a target."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.knowledge import Knowledge
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.errors import IndexUnavailable, NoSolution
from tfenv.facts.database import load
from tfenv.model.configuration import Configuration
from tfenv.model.goal import OLDEST_PYTHON
from tfenv.model.lock import BaseImage, HeldBack, Lock, LockedPackage, Origin, Stack
from tfenv.model.progress import Silent
from tfenv.model.target import Accelerator
from tfenv.outputs.request import inputs_digest
from tfenv.overlay.base import base_of, base_warnings
from tfenv.overlay.stack import needs_of, stack_of, unused_cuda
from tfenv.overlay.stand_ins import ROCM
from tfenv.resolver import EXPLAINING, Kind, explain, resolve, smallest
from tfenv.resolver.outcome import Conflict
from tfenv.store.cache import Cache
from tfenv.workflow.lock.asked_gpu import asked_gpu
from tfenv.workflow.lock.recent import more_recent
from tfenv.workflow.lock.settings import build_of, compile_of, environment_of, tensorflow_of
from tfenv.workflow.lock.supply import Supply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tfenv.facts.database import Database
    from tfenv.facts.images import ImageRow
    from tfenv.facts.wishes import Wish
    from tfenv.model.goal import Goal
    from tfenv.model.package import Name
    from tfenv.model.progress import Progress
    from tfenv.model.report import Problem
    from tfenv.overlay.overlay import FactsOverlay
    from tfenv.resolver.outcome import Pin, Resolution
    from tfenv.workflow.lock.base_digest import BaseDigest


def solve(
    goal: Goal,
    *,
    database: Database | None = None,
    cache: Cache | None = None,
    indexes: tuple[str, ...] | None = None,
    offline: bool = False,
    preferred: Mapping[Name, Version] | None = None,
    base_digest: BaseDigest | None = None,
    progress: Progress | None = None,
    expected: Iterable[Name] = (),
    consulted: dict[str, str] | None = None,
) -> Lock:
    """The lock that meets a goal.

    Args:
        goal: goal of the lock, without credentials.
        database: the facts; by default those that come with tfenv.
        cache: by default the user's.
        indexes: URLs of the goal with their credentials, if they need any.
        offline: use only what is cached.
        preferred: versions to keep where they still fit, such as those of an older lock.
        base_digest: of the base image, which is locked by its tag alone without it.
        progress: reports work under way.
        expected: projects that the search will probably need, whose pages are requested at once.
        consulted: receives the pages that were read: URL to digest.

    Raises:
        NoSolution: nothing meets the goal; the message is the chain of reasons, the hint has repairs.
        IndexUnavailable: an index did not answer.
        IntegrityError: a file that had to be read does not have the hash that its index promises.
    """
    facts = database or load()
    supply = Supply(
        goal,
        database=facts,
        cache=cache or Cache(),
        indexes=indexes or goal.indexes,
        offline=offline,
        progress=progress or Silent(),
        expected=(*expected, *(preferred or ())),
    )
    with supply:
        if base_digest is not None and base_digest.is_open and (usual := supply.usual_image()) is not None:
            base_digest.expect(usual)
        answer = _Search(goal, facts, supply, preferred or {}, progress or Silent()).lock()
        if consulted is not None:
            consulted.update(supply.index(goal).pages())
    return answer if base_digest is None else base_digest.added(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """A resolution and the goal that it meets; an unknown glibc is that of the image.

    Attributes:
        goal: goal that is met.
        resolution: chosen packages and Python.
        overlay: facts behind the choice.
        image: base image.
        instead: reason why a newer TensorFlow was not taken, although there is a solution with it.
    """

    goal: Goal
    resolution: Resolution
    overlay: FactsOverlay
    image: ImageRow | None
    instead: str = ""


class _Search:
    """The search for the lock of one goal, in one supply."""

    def __init__(
        self, goal: Goal, database: Database, supply: Supply, preferred: Mapping[Name, Version], progress: Progress
    ) -> None:
        self._goal = goal
        self._database = database
        self._supply = supply
        proven = {} if goal.newest else database.wheels.proven
        self._preferred = {**{name: one.version for name, one in proven.items()}, **preferred}
        self._progress = progress

    def lock(self) -> Lock:
        """Resolve, and put the lock together.

        Raises:
            NoSolution: there is no solution; with the smallest conflict and with fixes.
        """
        try:
            settled = self._recent(self._settled(self._goal, self._preferred))
            if (wish := self._wish(settled.resolution)) is not None:
                return self._with_gpu(wish)
            answer = self._assemble(settled, self._why_not_newer(settled))
        except Conflict as conflict:
            raise self._explained(conflict) from None
        return self._judged(answer)

    def _wish(self, resolution: Resolution) -> Wish | None:
        """The GPU that a requested package asks for, if the request itself says nothing about one."""
        is_open = self._goal.target.accelerator is Accelerator.NONE and not self._goal.without_gpu
        return asked_gpu(self._goal, resolution) if is_open else None

    def _with_gpu(self, wish: Wish) -> Lock:
        """The lock for a GPU that the request does not name."""
        target = replace(self._goal.target, accelerator=wish.accelerator, cuda_major=wish.cuda)
        goal = replace(self._goal, target=target)
        word = f"that of `--gpu {wish.accelerator}{wish.cuda or ''}`"
        try:
            answer = _Search(goal, self._database, self._supply, self._preferred, self._progress).lock()
        except NoSolution as error:
            because = f"{error.message}\n  because {wish.because}, and the lock is {word}"
            raise NoSolution(because, hint=error.hint) from None
        note = f"{wish.because}, and the lock is {word}; `--gpu none` locks TensorFlow for the CPU"
        return replace(answer, request=self._goal, inputs=inputs_digest(self._goal), notes=(note, *answer.notes))

    def _judged(self, answer: Lock) -> Lock:
        """The lock, if `check` does not call it broken.

        Raises:
            NoSolution: `check` calls it broken; with the reasons and with fixes.
        """
        problems = self._problems(answer)
        if not problems:
            return answer
        if self._goal.force_broken:
            lines = [f"locked with `--force-broken`: {'; '.join(problem.because)}" for problem in problems]
            return replace(answer, warnings=(*answer.warnings, *lines))
        # 8 modules that a lock which works does not need
        from tfenv.workflow.lock.refusal import judged_broken

        release = f"{answer.tensorflow.name} {answer.tensorflow.version}"
        with self._explaining():
            raise judged_broken(
                release, problems, self._goal, self._knowledge, attempt=self._changed, narrow=self._narrow
            )

    @property
    def _knowledge(self) -> Knowledge:
        return Knowledge(self._database, self._supply.index(self._goal), rows=False)

    def _problems(self, answer: Lock) -> tuple[Problem, ...]:
        """What `check` finds in a lock."""
        question = ask(Configuration.of(answer), self._database)
        if question.said is not None and not question.releases:  # newer than the database
            question = replace(question, releases=(Version(question.said),))
        return judge(question, self._knowledge).problems

    def _recent(self, settled: _Settled) -> _Settled:
        """The same, or a pair with an older TensorFlow if the newest one goes only with an old release of the rest."""
        overlay = settled.overlay
        found = more_recent(self._goal, settled.resolution, overlay, self._pythons, self._preferred)
        for goal in () if found is None else found.goals:
            try:
                other = self._settled(goal, self._preferred, brief=True)
            except (Conflict, IndexUnavailable):
                continue
            return replace(other, instead=found.because if found is not None else "")
        return settled

    def _settled(self, asked: Goal, preferred: Mapping[Name, Version], *, brief: bool = False) -> _Settled:
        """Resolved; once more if the image of the Python that was chosen offers less glibc than was assumed."""
        goal = self._with_glibc(asked)
        resolution, overlay = self._attempt(goal, preferred, brief=brief)
        image = self._image(resolution, overlay)
        if image is not None and asked.target.glibc is None and image.glibc < (goal.target.glibc or image.glibc):
            goal = replace(goal, target=replace(goal.target, glibc=image.glibc))
            resolution, overlay = self._attempt(goal, preferred, brief=brief)
            image = self._image(resolution, overlay)
        return _Settled(goal=goal, resolution=resolution, overlay=overlay, image=image)

    def _explained(self, conflict: Conflict) -> NoSolution:
        """The smallest conflict in words, with fixes."""
        # 8 modules that a lock does not need
        from tfenv.workflow.lock.refusal import refused

        with self._explaining():
            return refused(
                self._narrow(conflict, self._goal),
                self._goal,
                self._knowledge,
                shown=self._with_glibc(self._goal),
                attempt=self._changed,
                narrow=self._narrow,
                assumed={Kind.GLIBC} if self._goal.target.glibc is None else (),
            )

    def _changed(self, goal: Goal) -> Resolution | None:
        """The solution of another goal; ``None`` if it cannot be locked, or if `check` calls the lock broken.

        Raises:
            Conflict: the goal has no solution.
        """
        search = _Search(goal, self._database, self._supply, {}, Silent())
        try:
            settled = search._settled(goal, search._preferred, brief=True)
            answer = search._assemble(settled, {})
        except IndexUnavailable:
            return None
        return None if search._problems(answer) else settled.resolution

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        self._progress.start(EXPLAINING)
        try:
            yield
        finally:
            self._progress.finish(EXPLAINING)

    def _why_not_newer(self, settled: _Settled) -> dict[Name, str]:
        """The reasons against the next TensorFlow, by its name, if no single package prevents it."""
        pin = tensorflow_of(settled.resolution)
        held = None if pin is None else settled.resolution.held.get(pin.name)
        if pin is None or held is None or held.because:
            return {}
        if settled.instead:
            return {pin.name: settled.instead}
        wanted = self._goal.tensorflow & SpecifierSet(f"=={held.before}")
        asked = replace(self._goal, tensorflow=wanted)
        try:
            self._settled(asked, {}, brief=True)
        except Conflict as conflict:
            refusal = explain(self._narrow(conflict, asked), self._with_glibc(asked))
        except IndexUnavailable:
            return {}
        else:
            return {}
        because = [line.strip().removeprefix("because ") for line in refusal.message.splitlines()[1:]]
        return {pin.name: "; ".join(line.partition("   [")[0] for line in because)}

    def _narrow(self, left: Conflict, changed: Goal) -> Conflict:
        goal = self._with_glibc(changed)
        return smallest(left, goal, self._supply.overlay, pythons=self._pythons, progress=self._progress)

    def _image(self, resolution: Resolution, overlay: FactsOverlay) -> ImageRow | None:
        """The base image."""
        platform = self._goal.target.platform
        return base_of(self._database.images, platform, resolution.python, self._stack(resolution, overlay))

    def _stack(self, resolution: Resolution, overlay: FactsOverlay) -> Stack:
        """The CUDA or ROCm stack of what was chosen; a target without either wants none of the system."""
        if (rocm := resolution.pins.get(ROCM)) is not None:
            built = self._database.rocm.row(rocm.version)
            return Stack() if built is None else Stack(origin=Origin.SYSTEM, rocm=built.rocm)
        if self._goal.target.accelerator is not Accelerator.CUDA:
            return Stack()
        pins = {name: pin.version for name, pin in resolution.pins.items()}
        return stack_of(pins, build_of(resolution, overlay))

    def _with_glibc(self, goal: Goal) -> Goal:
        """A machine whose glibc is unknown has that of the base image."""
        target, images = goal.target, self._database.images
        if not target.platform.is_linux or target.glibc is not None:
            return goal
        python = target.python or images.pythons[0]
        return replace(goal, target=replace(target, glibc=images.python(python).glibc))

    @property
    def _pythons(self) -> list[Version]:
        return [python for python in self._database.images.pythons if python >= OLDEST_PYTHON]

    def _notes(self, versions: Mapping[Name, Version], environment: tuple[tuple[str, str], ...]) -> Iterator[str]:
        """What was preferred to something newer, and what has to be set."""
        proven = {} if self._goal.newest else self._database.wheels.proven
        for name, one in proven.items():
            if versions.get(name) == one.version:
                yield f"{name} {one.version} was seen to work ({one.says}); `--prefer newest` takes the newest"
        for variable, value in environment:
            yield f"{variable}={value} is set by the image, by `environment.yml` and by `tfenv sync`; set it elsewhere"

    def _attempt(
        self, goal: Goal, preferred: Mapping[Name, Version], *, brief: bool
    ) -> tuple[Resolution, FactsOverlay]:
        overlay = self._supply.overlay(goal)
        resolution = resolve(
            goal, overlay, pythons=self._pythons, preferred=preferred, progress=self._progress, brief=brief
        )
        return resolution, overlay

    def _assemble(self, settled: _Settled, reasons: Mapping[Name, str]) -> Lock:
        goal, resolution, overlay, image = settled.goal, settled.resolution, settled.overlay, settled.image
        packages = tuple(_locked(pin) for pin in resolution.pins.values())
        versions = {package.name: package.version for package in packages}
        build, stack = build_of(resolution, overlay), self._stack(resolution, overlay)
        environment = environment_of(self._goal, resolution, self._database)
        on_cpu = goal.target.accelerator is Accelerator.NONE
        warnings = (
            *resolution.warnings,
            *overlay.warnings(versions.items()),
            *base_warnings(image, goal.target.platform, resolution.python, stack),
            *(unused_cuda(packages, self._database.wheels.cpu_builds, goal.indexes) if on_cpu else ()),
            *(
                f"{name}: {len(files)} files are left out, because their index does not say when they were uploaded"
                for name, files in self._supply.index(goal).undated().items()
            ),
        )
        return Lock(
            request=self._goal,
            target=replace(goal.target, python=Version(f"{resolution.python.major}.{resolution.python.minor}")),
            packages=packages,
            stack=stack,
            needs=needs_of(
                (need.requirement for need in resolution.needs),
                build,
                versions,
                goal.target.platform,
                cuda=self._database.cuda,
                cudnn=self._database.cudnn,
            ),
            base_image=None if image is None else BaseImage(reference=image.reference),
            build=build,
            held=tuple(
                HeldBack(name=name, before=held.before, because=held.because or reasons.get(name, ""))
                for name, held in resolution.held.items()
            ),
            notes=(
                *(f"{name} held at {versions[name]}: {because}" for name, because in reasons.items()),
                *resolution.notes,
                *self._notes(versions, environment),
            ),
            warnings=warnings,
            sources=tuple(dict.fromkeys((*((build.source, *build.evidence) if build else ()), *_cited(resolution)))),
            facts=self._supply.facts,
            inputs=inputs_digest(self._goal),
            environment=environment,
            compile=compile_of(self._goal, resolution, self._database),
        )


def _locked(pin: Pin) -> LockedPackage:
    return LockedPackage(
        name=pin.name,
        version=pin.version,
        file=pin.file.kept,
        dependencies=pin.dependencies,
        requires_python=pin.metadata.requires_python or pin.file.requires_python,
        direct=pin.direct,
    )


def _cited(resolution: Resolution) -> tuple[str, ...]:
    """Sources of the requirements on the machine, in order; glibc follows from the names of the wheels."""
    return tuple(
        need.requirement.source
        for need in resolution.needs
        if need.requirement.source and need.requirement.name != "__glibc"
    )
