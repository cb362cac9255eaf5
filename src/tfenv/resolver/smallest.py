"""The smallest set of asks and facts that conflict: without any one of them there is a solution."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.errors import IndexUnavailable
from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, Requirement
from tfenv.model.progress import Silent
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.resolver.candidate import is_virtual
from tfenv.resolver.diagnose import has
from tfenv.resolver.outcome import Conflict, Kind, Part
from tfenv.resolver.partial import PartialSource, Shelf, Versions, fact, facts, reads_python
from tfenv.resolver.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.progress import Progress
    from tfenv.resolver.outcome import Link
    from tfenv.resolver.protocols import Source

EXPLAINING = "explaining the conflict"
"""Name of the task for `Progress`."""

_FAMILY = 4
"""How many releases of TensorFlow may be needed to tell of every part of a conflict."""


def smallest(
    conflict: Conflict,
    request: Goal,
    world: Callable[[Goal], Source],
    *,
    pythons: Sequence[Version],
    progress: Progress | None = None,
) -> Conflict:
    """The conflict without anything that could be left out; one that was not proven is returned as it is.

    Parts are left out by halves (Junker, "QuickXplain", AAAI 2004), each time in a world of which only the others are
    told; that world is small, because nothing follows from what is left out.

    Args:
        conflict: that `resolve` raised.
        request: that has no solution.
        world: what holds for a request, whose target may ask for less.
        pythons: as for `resolve`.
        progress: advances with each combination that is tried, as a part of the task `EXPLAINING`.
    """
    if not conflict.is_proven:
        return conflict
    suspected = _suspected(conflict, request)
    core = _Core(request, world, pythons, suspected, progress or Silent())
    if not core.conflicts(suspected):
        suspected = [*asks(request), *(part for part in suspected if part.kind.is_fact)]
        if not core.conflicts(suspected):
            return conflict  # one of the searches was given up; only the links of the proof are known
    found = core.narrowed([], suspected, changed=False)
    for part in tuple(found):
        less = [each for each in found if each != part]
        if core.conflicts(less):
            found = less
    return core.tell(found)


def asks(request: Goal) -> list[Part]:
    """What a request fixes, what is most worth telling first."""
    target, plain = request.target, Target()
    found = [
        (Kind.TENSORFLOW, bool(request.tensorflow)),
        (Kind.PYTHON, target.python is not None),
        (Kind.PLATFORM, target.platform is not plain.platform),
        (Kind.ACCELERATOR, target.accelerator is not plain.accelerator),
        (Kind.CUDA, bool(target.cuda_major or target.rocm or target.gfx)),
        *((Kind.GPU, True) for _ in target.gpus),
        (Kind.DRIVER, target.driver is not None),
        (Kind.GLIBC, target.glibc is not None),
        (Kind.CPU, target.cpu is not None),
        (Kind.KERAS, request.keras is not None),
        *((Kind.REQUIREMENT, True) for _ in request.requirements),
        *((Kind.CONSTRAINT, True) for _ in request.constraints),
        (Kind.NEWER, request.exclude_newer is not None),
    ]
    parts: list[Part] = []
    named = {Kind.REQUIREMENT: request.requirements, Kind.CONSTRAINT: request.constraints}
    for kind, is_asked in found:
        if is_asked:
            number = sum(part.kind is kind for part in parts)
            parts.append(Part(kind=kind, name=named[kind][number].name if kind in named else "", number=number))
    return parts


def only(request: Goal, parts: Iterable[Part]) -> Goal:
    """The request, with nothing asked for but these parts of it; the platform stays."""
    told = {(part.kind, part.number) for part in parts}

    def has(kind: Kind, number: int = 0) -> bool:
        return (kind, number) in told

    target = request.target
    cuda = has(Kind.ACCELERATOR)
    gpus = tuple(gpu for number, gpu in enumerate(target.gpus) if has(Kind.GPU, number))
    return replace(
        request,
        tensorflow=request.tensorflow if has(Kind.TENSORFLOW) else SpecifierSet(),
        target=Target(
            platform=target.platform,
            python=target.python if has(Kind.PYTHON) else None,
            accelerator=target.accelerator if cuda else Accelerator.NONE,
            cuda_major=target.cuda_major if cuda and has(Kind.CUDA) else None,
            rocm=target.rocm if cuda and has(Kind.CUDA) else None,
            gpus=gpus if cuda else (),
            gfx=target.gfx if cuda and has(Kind.CUDA) else (),
            driver=target.driver if cuda and has(Kind.DRIVER) else None,
            glibc=target.glibc if has(Kind.GLIBC) else None,
            cpu=target.cpu if has(Kind.CPU) else None,
        ),
        requirements=tuple(each for n, each in enumerate(request.requirements) if has(Kind.REQUIREMENT, n)),
        constraints=tuple(each for n, each in enumerate(request.constraints) if has(Kind.CONSTRAINT, n)),
        exclude_newer=request.exclude_newer if has(Kind.NEWER) else None,
        keras=request.keras if has(Kind.KERAS) else None,
    )


def ways(asked: Goal, told: Iterable[Part]) -> list[Goal]:
    """A request as it is, and, where the platform does not count, for the one that has most."""
    most = replace(asked, target=replace(asked.target, platform=Platform.LINUX_X86_64))
    return [asked] if most == asked or Part(kind=Kind.PLATFORM) in told else [asked, most]


def _suspected(conflict: Conflict, request: Goal) -> list[Part]:
    """Everything that the search met on its way to the clash."""
    names = {TENSORFLOW: None}
    edges = []
    for link in conflict.involved:
        if not is_virtual(link.requirement.name):
            names[link.requirement.name] = None
        if link.parent is not None:
            names[link.parent[0]] = None
            edges.append(fact(link.parent[0], link.requirement.name))
    asked = [
        part
        for part in asks(request)
        if part.kind not in (Kind.REQUIREMENT, Kind.CONSTRAINT) or part.name in names or is_virtual(part.name)
    ]
    return list(dict.fromkeys((*asked, *edges, *(each for name in names for each in facts(name)))))


class _Core:
    """Tries parts of a request against parts of the world, each combination once."""

    def __init__(
        self,
        request: Goal,
        world: Callable[[Goal], Source],
        pythons: Sequence[Version],
        suspected: Sequence[Part],
        progress: Progress,
    ) -> None:
        self._progress = progress
        self._request = request
        self._suspected = suspected
        self._world = world
        self._pythons = pythons
        self._worlds: dict[object, Source] = {}
        self._shelves: dict[object, Shelf] = {}
        self._answers: dict[frozenset[Part], bool] = {}
        self._versions = Versions()
        wanted = Requirement(name=TENSORFLOW, specifier=request.tensorflow)
        self._versions.hear((wanted, *request.requirements, *request.constraints))

    def conflicts(self, parts: Iterable[Part]) -> bool:
        """Is there no solution, where only these parts hold?"""
        told = frozenset(parts)
        if told not in self._answers:
            self._answers[told] = self._fails(told, only(self._request, told))
        return self._answers[told]

    def narrowed(self, kept: list[Part], parts: list[Part], *, changed: bool) -> list[Part]:
        """Of the parts, those that it takes for a conflict together with what is kept."""
        if changed and self.conflicts(kept):
            return []
        if len(parts) == 1:
            return parts
        first, second = parts[: len(parts) // 2], parts[len(parts) // 2 :]
        late = self.narrowed([*kept, *first], second, changed=bool(first))
        early = self.narrowed([*kept, *late], first, changed=bool(late))
        return [*early, *late]

    def tell(self, parts: list[Part]) -> Conflict:
        """Links and gaps for every part, of the newest TensorFlow as far as it goes, then of others."""
        # a part that is shown is shown as it is
        releases, _, glibc = zip(*(facts(part.name) for part in self._suspected if part.kind.is_fact), strict=True)
        told = frozenset((*parts, *releases, *(() if Part(kind=Kind.GLIBC) in parts else glibc)))
        asked = only(self._request, told)
        first = self._conflict(told, asked)
        links, gaps, involved = dict.fromkeys(first.links), dict(first.gaps), list(first.involved)
        wanted = {part for part in parts if part.kind is Kind.REQUIRES}
        conflict = first
        for _ in range(_FAMILY):
            if conflict.attempt is None or wanted <= {_part(link) for link in links}:
                break
            asked = replace(asked, tensorflow=asked.tensorflow & SpecifierSet(f"!={conflict.attempt.version}"))
            conflict = self._conflict(told, asked)
            if conflict.attempt is not None:
                new = [link for link in conflict.links if _part(link) not in {_part(each) for each in links}]
                links |= dict.fromkeys(link for link in new if link.parent is not None)
                involved += conflict.involved
        for link in involved:
            if _part(link) in wanted - {_part(each) for each in links}:
                links[link] = None
        silent = {part.name for part in parts if part.kind is Kind.FILES}
        silent -= {link.parent[0] for link in links if link.parent is not None} | {
            name.partition("[")[0] for name in gaps
        }
        gaps |= {Name(name): clause for name in silent if (clause := self._has(Name(name)))}
        return Conflict(
            tuple(links),
            gaps=gaps,
            attempt=first.attempt,
            parts=tuple(parts),
            offered=self._offered(),
            persists=partial(self._persists, frozenset(parts)),
        )

    def _offered(self) -> tuple[Version, ...]:
        """Final releases of TensorFlow, newest first."""
        releases = self._world_of(self._request).releases(TENSORFLOW)
        return tuple(release.version for release in releases if not release.version.is_prerelease)

    def _has(self, name: Name) -> str:
        """For which Pythons there are wheels of the newest release that is asked for."""
        bounds = [each.specifier for each in self._request.requirements if each.name == name]
        bounds += [self._request.tensorflow] if name in TENSORFLOWS else []
        releases = self._world_of(self._request).releases(name)
        fitting = (each for each in releases if all(one.contains(each.version) for one in bounds))
        newest = next(fitting, None)
        return "" if newest is None else has(newest, self._request.target.platform)

    def _persists(self, told: frozenset[Part], changed: Goal) -> bool:
        """Whether these parts contradict a changed request too."""
        return self._fails(told, only(changed, told))

    def _conflict(self, told: frozenset[Part], asked: Goal) -> Conflict:
        try:
            self._resolve(told, asked, brief=False)
        except Conflict as conflict:
            return conflict
        except IndexUnavailable:
            pass
        return Conflict((), gaps={})

    def _fails(self, told: frozenset[Part], asked: Goal) -> bool:
        for way in ways(asked, told):
            try:
                self._resolve(told, way, brief=True)
            except Conflict as conflict:
                if conflict.is_proven:
                    continue
            except IndexUnavailable:
                pass  # what cannot be looked up may be a solution
            return False
        return True

    def _resolve(self, told: frozenset[Part], asked: Goal, *, brief: bool) -> None:
        self._progress.advance(EXPLAINING)
        world = self._world_of(asked)
        shelf = self._shelves.setdefault(asked.exclude_newer, Shelf())
        source = PartialSource(world, told, asked.target.platform, self._versions, shelf)
        pythons = self._pythons
        if asked.target.python is None and not source.reads_python:
            pythons = pythons[:1]  # one is like another
        try:
            resolve(asked, source, pythons=pythons, brief=brief)
        except Conflict:
            own = (*asked.requirements, *asked.constraints)
            if len(pythons) == len(self._pythons) or not (source.reads_python or any(map(reads_python, own))):
                raise
            resolve(asked, source, pythons=self._pythons, brief=brief)

    def _world_of(self, asked: Goal) -> Source:
        key = (asked.target, asked.keras, asked.exclude_newer)
        if key not in self._worlds:
            self._worlds[key] = self._world(asked)
        return self._worlds[key]


def _part(link: Link) -> Part | None:
    return None if link.parent is None else fact(link.parent[0], link.requirement.name)
