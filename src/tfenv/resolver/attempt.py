"""One request against one catalog: solved, refuted with a proof, or given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.model.package import TENSORFLOW, Name
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.provider import Provider
from tfenv.resolver.search import GaveUp, Search, Unsolvable
from tfenv.resolver.values import Opened, Reason, Rule, is_exact
from tfenv.resolver.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.package import Requirement
    from tfenv.model.progress import Progress
    from tfenv.resolver.catalog import Catalog

_MOST_CONFLICTS = 5_000
"""An ordinary resolution meets fewer than a hundred; a search that meets this many is given up."""

_MOST_EXCEPTIONS = 300
"""How many solutions may take a pre-release or a yanked release that nothing allows before the search is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A solution.

    Attributes:
        provider: that answered.
        chosen: candidates by identifier.
        held: project to version to what it asks of the machine and does not get.
    """

    provider: Provider
    chosen: Mapping[str, Candidate]
    held: Mapping[Name, Mapping[Version, Requirement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """No solution.

    Attributes:
        provider: that answered.
        reasons: what contradicts itself; ``None`` if the search was given up, and nothing is proven.
        tried: candidates of TensorFlow, in the order in which they were tried.
    """

    provider: Provider
    reasons: tuple[Reason, ...] | None
    tried: tuple[Candidate, ...]


def attempt(
    request: Goal,
    catalog: Catalog,
    *,
    asked: Sequence[Requirement],
    pythons: Sequence[Version],
    preferred: Mapping[Name, Version],
    progress: Progress,
    task: str,
) -> Solved | Refuted:
    """Search; pre-releases and yanked releases that only a package asks for are taken if nothing else is left.

    Args:
        request: what is asked for.
        catalog: releases and files.
        asked: requirements of the request, that on TensorFlow among them.
        pythons: full versions.
        preferred: versions to try first.
        progress: told of every choice.
        task: name of the task that it is told of.
    """
    opened = Opened()
    tried: tuple[Candidate, ...] = ()
    while True:
        provider = Provider(request, catalog, asked=asked, pythons=pythons, preferred=preferred, first=TENSORFLOW)
        world = World(provider, preferred=preferred, opened=opened, progress=progress, task=task)
        search = Search(world, _MOST_CONFLICTS, domains={PYTHON: world.everything(PYTHON)})
        reasons: tuple[Reason, ...] | None = None
        try:
            search.run(world.given())
            for _ in range(_MOST_EXCEPTIONS):
                chosen = _reached(provider, world.candidates(search))
                if not _are_allowed(catalog, provider, chosen, opened):
                    search.run([world.exception(search)])
                    continue
                return Solved(provider=provider, chosen=chosen, held=world.held)
        except Unsolvable as unsolvable:
            stated = (reason for reason in unsolvable.proof.reasons() if isinstance(reason, Reason))
            reasons = tuple(sorted(stated, key=lambda reason: reason.number))
            more = _openable(catalog, provider, world, reasons, opened)
            tried = tried or tuple(world.tried)
            if more != opened:
                opened = more
                continue
        except GaveUp:
            pass
        return Refuted(provider=provider, reasons=reasons, tried=tried or tuple(world.tried))


def _reached(provider: Provider, chosen: Mapping[str, Candidate]) -> dict[str, Candidate]:
    """What the request leads to, in the order of the choices."""
    python = next(iter(chosen.values())).python
    reached: set[str] = set()
    waiting = [want.identifier for want in provider.asked(python)]
    while waiting:
        identifier = waiting.pop()
        if identifier in reached or is_virtual(identifier):
            continue
        reached.add(identifier)
        candidate = chosen[identifier]
        waiting.append(candidate.name)
        waiting.extend(want.identifier for want in provider.wanted(candidate))
    return {identifier: candidate for identifier, candidate in chosen.items() if identifier in reached}


def _openable(catalog: Catalog, provider: Provider, world: World, reasons: Iterable[Reason], opened: Opened) -> Opened:
    """The releases without which there is no solution, and which something asks for."""
    prereleases, yanked = set(opened.prereleases), set(opened.yanked)
    wanted: dict[Name, list[Requirement]] = {}
    rules: dict[Name, set[Rule]] = {}
    for reason in reasons:
        rules.setdefault(reason.name, set()).add(reason.rule)
        if reason.want is not None:
            wanted.setdefault(reason.name, []).append(reason.want.requirement)
    for name, broken in rules.items():
        bounds = [bound for python in provider.pythons for bound in provider.bounds(name, python)]
        requirements = [*wanted.get(name, ()), *bounds]
        if Rule.PRERELEASE in broken:
            together = (*([requirement] for requirement in requirements), requirements)
            if any(_leaves_only_prereleases(catalog, name, each) for each in together):
                prereleases.add(name)
        if Rule.FILES in broken:
            for requirement in requirements:
                if is_exact(requirement.specifier):
                    yanked |= {(name, version) for version in catalog.allowed(name, requirement)}
    known = set(opened.wanted)
    for name in prereleases | {name for name, _ in yanked}:
        known |= {
            (name, None, bound.specifier) for python in provider.pythons for bound in provider.bounds(name, python)
        }
        for parent, requirement in world.wanted(name):
            known.add((name, None if parent is None else (parent.name, parent.version), requirement.specifier))
    return Opened(prereleases=frozenset(prereleases), yanked=frozenset(yanked), wanted=frozenset(known))


def _leaves_only_prereleases(catalog: Catalog, name: Name, requirements: Sequence[Requirement]) -> bool:
    """Is there no final release that was not yanked? (PEP 440, "Handling of pre-releases")"""
    matching = [
        release
        for release in catalog.releases(name)
        if all(catalog.allows(requirement, release.version) for requirement in requirements)
    ]
    return bool(matching) and all(release.version.is_prerelease or release.is_yanked for release in matching)


def _are_allowed(catalog: Catalog, provider: Provider, chosen: Mapping[str, Candidate], opened: Opened) -> bool:
    """Does something ask for each pre-release and each yanked release that was chosen?"""
    if opened == Opened():
        return True
    python = next(iter(chosen.values())).python
    wanted: dict[str, list[Requirement]] = {}
    for want in (*provider.asked(python), *(want for each in chosen.values() for want in provider.wanted(each))):
        wanted.setdefault(want.requirement.name, []).append(want.requirement)
    for candidate in chosen.values():
        if candidate.extra:
            continue
        requirements = [*wanted.get(candidate.name, ()), *provider.bounds(candidate.name, python)]
        if candidate.file.yanked is not None and not any(is_exact(each.specifier) for each in requirements):
            return False
        if (
            candidate.name in opened.prereleases
            and candidate.version.is_prerelease
            and not _leaves_only_prereleases(catalog, candidate.name, requirements)
        ):
            return False
    return True
