"""What the search chooses next: TensorFlow, Python, the machine, then the best file of each project."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from resolvelib.resolvers import Criterion, RequirementInformation

from tfenv.model.package import Name
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.search import ABSENT, Nogood, Search, Step
from tfenv.resolver.values import ON, Opened, ProjectReleases, Rule, Values, project_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.version import Version
    from resolvelib import BaseReporter

    from tfenv.model.package import Requirement
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.provider import Choice, Provider

_AHEAD = 4
"""How many next-best files to fetch metadata for once the best one was turned down."""


class PackageWorld:
    """The packages of one request, for `Search`.

    Args:
        provider: that knows what is wanted, and of which files.
        reporter: receives requirements that were read, candidates that were chosen, and those that were rejected.
        opened: releases that are taken as a last resort.
    """

    def __init__(self, provider: Provider, reporter: BaseReporter[Want, Choice, str], *, opened: Opened) -> None:
        self._provider = provider
        self._catalog = provider.catalog
        self._pythons = provider.pythons
        self._first = provider.first
        self._values = Values(provider, opened=opened)
        self._reporter = reporter
        self._loading: dict[Candidate, Iterator[Want]] = {}
        self._loaded: set[Candidate] = set()
        self._seen: dict[str, int] = {}
        self._tries: dict[Name, int] = {}
        self._begun: set[Candidate] = set()

    # what the search asks

    def everything(self, package: str) -> int:
        """All values of a package."""
        return self._values.everything(package)

    def widen(self, nogood: Nogood) -> None:
        """Extend a requirement to the Pythons on which the same file says the same."""
        self._values.widen(nogood)

    def step(self, search: Search) -> Step | None:
        """The first project, Python, the machine, then the rest."""
        if met := self._values.met():
            return Step(nogoods=tuple(met))
        open_ = [
            package
            for package, domain in search.domains.items()
            if not domain & ABSENT and package not in search.chosen and package != PYTHON
        ]
        if self._first in open_:
            return self._choose_first(search)
        if PYTHON not in search.chosen:
            return self._choose_python(search)
        virtual = next((package for package in open_ if is_virtual(package)), None)
        if virtual is not None:
            domain = search.domains[virtual]
            return Step(package=virtual, value=domain & -domain)
        ready = [package for package in open_ if "[" not in package or project_of(package) in search.chosen]
        if not ready:
            return None
        package = min(ready, key=lambda package: self._rank(package, search))
        if "[" in package:
            return self._load(self._candidate(package, search), package, ON, search)
        return self._choose(Name(package), search)

    def exception(self, search: Search) -> Nogood:
        """Forbids everything that was chosen, together: something in it is a release that nothing allows."""
        return Nogood(dict(search.chosen), self._values.reason(Rule.EXCEPTION, self._first))

    # what the request asks, and what came of it

    def given(self, roots: Iterable[Want]) -> list[Nogood]:
        """What the root requires, and what the request asks for where its markers hold."""
        roots = list(roots)
        for want in roots:
            self._reporter.adding_requirement(want, None)
        return self._values.given(roots)

    def wanted(self, name: Name) -> list[tuple[Candidate | None, Requirement]]:
        """Who requires a project (``None`` is the request), as far as it was read."""
        return self._values.wanted(name)

    def choices(self, search: Search) -> dict[str, Choice]:
        """What was chosen: answers of the target, candidates of projects and of extras that are asked for."""
        found: dict[str, Choice] = {}
        for package, value in search.chosen.items():
            if is_virtual(package):
                found[package] = self._provider.answers(package)[value.bit_length() - 2]
            else:
                found[package] = self._candidate(package, search)
        return found

    def _choose_first(self, search: Search) -> Step:
        """The best release of the first project that has a file for a Python that is left."""
        project, domain = self._values.project(self._first), search.domains[self._first]
        pythons = self._left(search)
        skipped = 0
        for number in project.order:
            value = 2 << number
            if not domain & value:
                continue
            if any(self._values.usable(self._first, project.releases[number], python) for python in pythons):
                return Step(package=self._first, value=value)
            skipped |= value
        return self._no_file(self._first, skipped, search.domains[PYTHON])

    def _choose_python(self, search: Search) -> Step:
        """The best Python that the first project has a file for, and everything that was asked for by name."""
        for python in self._left(search):
            value = 2 << self._pythons.index(python)
            names = {want.requirement.name: None for want in self._provider.asked(python)}
            for name in names:
                if is_virtual(name) or name == self._first or search.domains[name] & ABSENT:
                    continue
                missing = self._missing(name, search.domains[name], python)
                if missing:
                    return self._no_file(name, missing, value)
            if self._first not in search.chosen:
                return Step(package=PYTHON, value=value)
            number = search.chosen[self._first].bit_length() - 2
            release = self._values.project(self._first).releases[number]
            candidate = self._values.usable(self._first, release, python)
            if candidate is None:
                return self._no_file(self._first, 2 << number, value)
            if candidate not in self._begun:
                self._begun.add(candidate)
                self._provider.take(candidate)
            return self._load(candidate, PYTHON, value, search)
        raise AssertionError("a package without values is a conflict")

    def _choose(self, name: Name, search: Search) -> Step:
        """The best release of a project that has a file for the Python that was chosen."""
        project, domain, python = self._values.project(name), search.domains[name], self._python(search)
        for place, number in enumerate(project.order):
            value = 2 << number
            if not domain & value:
                continue
            candidate = self._values.usable(name, project.releases[number], python)
            if candidate is None:
                continue
            if candidate not in self._loading and candidate not in self._loaded:
                self._expect(project, place, domain, candidate)
            return self._load(candidate, name, value, search)
        return self._no_file(name, domain, search.domains[PYTHON])

    def _expect(self, project: ProjectReleases, place: int, domain: int, candidate: Candidate) -> None:
        """Metadata of a file is about to be read; of the next ones too if others were turned down before it."""
        self._provider.take(candidate)
        tries = self._tries[candidate.name] = self._tries.get(candidate.name, 0) + 1
        if tries % _AHEAD == 2:
            rest = (n for n in project.order[place + 1 :] if domain & 2 << n)
            following = (
                self._values.usable(candidate.name, project.releases[n], candidate.python) for n in islice(rest, _AHEAD)
            )
            self._catalog.source.expect([each.file for each in following if each is not None])

    def _load(self, candidate: Candidate, package: str, value: int, search: Search) -> Step:
        """Choose, once what the candidate wants is known; a clash ends the reading before more is read."""
        if candidate in self._loaded:
            self._reporter.pinning(candidate)
            return Step(package=package, value=value)
        if candidate not in self._loading:
            self._loading[candidate] = self._provider.wanted(candidate)
        terms = {
            candidate.name: self._values.bit(candidate),
            PYTHON: 2 << self._pythons.index(candidate.python),
        }
        if candidate.extra:
            terms[candidate.identifier] = ON
        nogoods: list[Nogood] = []
        for want in self._loading[candidate]:
            self._seen.setdefault(want.identifier, len(self._seen))
            self._reporter.adding_requirement(want, candidate)
            stated = self._values.nogoods(want, terms, candidate)
            nogoods += [*self._values.met(), *stated]
            name = want.requirement.name
            left = search.domains.get(name, self.everything(name)) & self._values.allowed(want.requirement)
            if not left:
                information: list[RequirementInformation[Want, Choice]] = [RequirementInformation(want, candidate)]
                self._reporter.rejecting_candidate(Criterion((), information, ()), candidate)
                return Step(nogoods=tuple(nogoods))
            if (
                not is_virtual(name)
                and name != candidate.name
                and (missing := self._missing(name, left, candidate.python))
            ):
                files = self._nogood_of_files(name, missing, terms[PYTHON])
                values = missing | self.everything(name) & ~self._values.allowed(want.requirement)
                both = Nogood({**terms, name: values}, parents=(stated[0], files), is_widened=True)
                return Step(nogoods=(*nogoods, files, both))
        del self._loading[candidate]
        self._loaded.add(candidate)
        self._reporter.pinning(candidate)
        return Step(nogoods=tuple(nogoods), package=package, value=value)

    def _missing(self, name: Name, domain: int, python: Version) -> int:
        """The releases that are left, if none of them has a file for a Python."""
        project = self._values.project(name)
        for number in project.order:
            if domain & 2 << number and self._values.usable(name, project.releases[number], python) is not None:
                return 0
        return domain & ~ABSENT

    def _no_file(self, name: Name, values: int, pythons: int) -> Step:
        return Step(nogoods=(self._nogood_of_files(name, values, pythons),))

    def _nogood_of_files(self, name: Name, values: int, pythons: int) -> Nogood:
        return Nogood({name: values, PYTHON: pythons}, self._values.reason(Rule.FILES, name))

    def _candidate(self, package: str, search: Search) -> Candidate:
        name = project_of(package)
        release = self._values.project(name).releases[search.chosen[name].bit_length() - 2]
        candidate = self._values.usable(package, release, self._python(search))
        assert candidate is not None
        return candidate

    def _python(self, search: Search) -> Version:
        return self._pythons[search.domains[PYTHON].bit_length() - 2]

    def _left(self, search: Search) -> list[Version]:
        domain = search.domains[PYTHON]
        return [python for number, python in enumerate(self._pythons) if domain & 2 << number]

    def _rank(self, package: str, search: Search) -> tuple[int, bool, bool, int]:
        """What has clashed most, exact pins, then what is bounded from above, then in the order of discovery."""
        exact = bounded = False
        for parent, requirement in self._values.wanted(project_of(package)):
            if parent is None or search.chosen.get(parent.name) == self._values.bit(parent):
                is_exact, is_bounded = self._provider.strictness(requirement)
                exact, bounded = exact or is_exact, bounded or is_bounded
        seen = self._seen.setdefault(package, len(self._seen))
        return -search.clashes.get(package, 0), not exact, not bounded, seen
