"""A resolver for resolvelib that learns from every conflict, and proves that there is no solution.

It stands in for `resolvelib.Resolver`, which skips solutions (sarugaku/resolvelib issue 206) and returns incomplete
ones. `tests/resolver/test_resolvelib.py` fails when that is mended; docs/resolver.md lists the faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib import Resolver
from resolvelib.resolvers import Criterion, RequirementInformation, ResolutionImpossible, ResolutionTooDeep, Result
from resolvelib.structs import DirectedGraph, State

from tfenv.resolver.candidate import PYTHON, Candidate, Want
from tfenv.resolver.catalog import is_exact
from tfenv.resolver.provider import Choice
from tfenv.resolver.search import GaveUp, Search, Unsolvable
from tfenv.resolver.values import Opened, Reason, Rule
from tfenv.resolver.world import PackageWorld

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolvelib import BaseReporter

    from tfenv.model.package import Name, Requirement
    from tfenv.resolver.catalog import Catalog
    from tfenv.resolver.provider import Provider

MAX_ROUNDS = 5_000
"""Conflicts after which a search is given up; an ordinary resolution meets fewer than a hundred."""

_MOST_EXCEPTIONS = 300
"""How many solutions may take a pre-release or a yanked release that nothing allows before the search is given up."""


class LearningResolver(Resolver[Want, Choice, str]):
    """Answers as `resolvelib.Resolver` does, by a search that learns.

    The reporter receives the start, requirements as they are read, candidates as they are chosen and rejected, the
    conflict of a proof, and the end. There are no rounds.

    Args:
        provider: that answers; the search also uses what it knows beyond the questions of resolvelib.
        reporter: receives the events.
    """

    def __init__(self, provider: Provider, reporter: BaseReporter[Want, Choice, str]) -> None:
        super().__init__(provider, reporter)
        self._provider = provider

    def resolve(  # type: ignore[override]  # as in the base class
        self, requirements: Iterable[Want], max_rounds: int = MAX_ROUNDS
    ) -> Result[Want, Choice, str]:
        """Search; pre-releases and yanked releases that only a package asks for are taken if nothing else is left.

        Args:
            requirements: what the root requires.
            max_rounds: conflicts after which the search is given up.

        Raises:
            ResolutionImpossible: there is no solution; the causes are the requirements of the proof, in the order in
                which they were read.
            ResolutionTooDeep: the search was given up; whether there is a solution is not known.
        """
        roots = tuple(requirements)
        opened = Opened()
        self.reporter.starting()
        while True:
            world = PackageWorld(self._provider, self.reporter, opened=opened)
            search = Search(world, max_rounds, domains={PYTHON: world.everything(PYTHON)})
            try:
                result = self._run(world, search, roots, opened)
            except Unsolvable as unsolvable:
                stated = (reason for reason in unsolvable.proof.reasons() if isinstance(reason, Reason))
                reasons = sorted(stated, key=lambda reason: reason.number)
                more = _openable(self._provider, world, reasons, opened)
                if more == opened:
                    causes = _causes(reasons)
                    self.reporter.resolving_conflicts(causes)
                    raise ResolutionImpossible(causes) from None
                opened = more
            except GaveUp:
                raise ResolutionTooDeep(search.conflicts) from None
            else:
                self.reporter.ending(State(result.mapping, result.criteria, []))
                return result

    def _run(
        self, world: PackageWorld, search: Search, roots: Sequence[Want], opened: Opened
    ) -> Result[Want, Choice, str]:
        """One search with a set of releases that may be taken as a last resort."""
        search.run(world.given(roots))
        for _ in range(_MOST_EXCEPTIONS):
            result = self._result(world.choices(search), roots)
            if _are_allowed(self._provider, result, opened):
                return result
            search.run([world.exception(search)])
        raise GaveUp

    def _result(self, chosen: Mapping[str, Choice], roots: Sequence[Want]) -> Result[Want, Choice, str]:
        """What the root leads to, in the order of the choices."""
        graph: DirectedGraph[str | None] = DirectedGraph()
        graph.add(None)
        information: dict[str, list[RequirementInformation[Want, Choice]]] = {}
        waiting: list[tuple[Choice | None, Iterable[Want]]] = [(None, roots)]
        while waiting:
            parent, wants = waiting.pop()
            for want in wants:
                identifier = want.identifier
                if identifier not in information:
                    information[identifier] = []
                    graph.add(identifier)
                    choice = chosen[identifier]
                    waiting.append((choice, self._provider.get_dependencies(choice)))
                information[identifier].append(RequirementInformation(want, parent))
                graph.connect(None if parent is None else parent.identifier, identifier)
        mapping = {identifier: choice for identifier, choice in chosen.items() if identifier in information}
        criteria: dict[str, Criterion[Want, Choice]] = {
            identifier: Criterion((choice,), information[identifier], ()) for identifier, choice in mapping.items()
        }
        return Result(mapping, graph, criteria)


def _causes(reasons: Iterable[Reason]) -> list[RequirementInformation[Want, Choice]]:
    """The requirements of a proof, with the candidates that have them."""
    return [RequirementInformation(reason.want, reason.parent) for reason in reasons if reason.want is not None]


def _openable(provider: Provider, world: PackageWorld, reasons: Iterable[Reason], opened: Opened) -> Opened:
    """The releases without which there is no solution, and which something asks for."""
    catalog = provider.catalog
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


def _are_allowed(provider: Provider, result: Result[Want, Choice, str], opened: Opened) -> bool:
    """Does something ask for each pre-release and each yanked release that was chosen?"""
    if opened == Opened():
        return True
    catalog = provider.catalog
    candidates = [choice for choice in result.mapping.values() if isinstance(choice, Candidate)]
    wanted: dict[Name, list[Requirement]] = {}
    for want in (*provider.asked(candidates[0].python), *(w for each in candidates for w in provider.wanted(each))):
        wanted.setdefault(want.requirement.name, []).append(want.requirement)
    for candidate in candidates:
        if candidate.extra:
            continue
        requirements = [*wanted[candidate.name], *provider.bounds(candidate.name, candidate.python)]
        if candidate.file.yanked is not None and not any(is_exact(each.specifier) for each in requirements):
            return False
        if (
            candidate.name in opened.prereleases
            and candidate.version.is_prerelease
            and not _leaves_only_prereleases(catalog, candidate.name, requirements)
        ):
            return False
    return True
