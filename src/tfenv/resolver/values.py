"""Packages, extras, Python and the machine as sets of values, and what forbids them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from tfenv.model.package import Name
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.catalog import is_exact
from tfenv.resolver.search import ABSENT, Nogood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.package import Release, Requirement
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.provider import Provider

ON = 2
"""The one value of an extra: it is asked for."""


class Rule(StrEnum):
    """What can forbid a combination."""

    WANT = "want"
    """a release, or the request, requires something"""
    BOUND = "bound"
    """a constraint of the request"""
    FILES = "files"
    """no file fits the target"""
    PRERELEASE = "pre-release"
    """a pre-release, while there are final releases"""
    EXCEPTION = "exception"
    """a pre-release or a yanked release was about to be taken, and nothing allows it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why values cannot be chosen together.

    Attributes:
        rule: kind of the reason.
        name: project that it is about.
        want: requirement that is not met, for `WANT`.
        parent: candidate that requires it; ``None`` for the request.
        number: place in the order of discovery.
    """

    rule: Rule
    name: Name
    number: int
    want: Want | None = None
    parent: Candidate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Releases that are taken only as a last resort.

    Attributes:
        prereleases: projects whose pre-releases may be taken where no final release satisfies what is required.
        yanked: yanked releases that something requires by exactly their version (PEP 592).
        wanted: for each project of both, who requires what of it (``None`` is the request), as far as it was read.
    """

    prereleases: frozenset[Name] = frozenset()
    yanked: frozenset[tuple[Name, Version]] = frozenset()
    wanted: frozenset[tuple[Name, tuple[Name, Version] | None, SpecifierSet]] = frozenset()


@dataclass(slots=True)
class ProjectReleases:
    """Releases of a project, as bits.

    Attributes:
        releases: newest first; the number of a release is its place here.
        numbers: version to number.
        order: numbers, best first.
        everything: the bits of all releases, and `ABSENT`.
        masks: specifiers to the bits of the releases that satisfy them, as far as that was asked.
    """

    releases: tuple[Release, ...]
    numbers: Mapping[Version, int]
    order: tuple[int, ...]
    everything: int
    masks: dict[tuple[SpecifierSet, tuple[SpecifierSet, ...]], int] = field(default_factory=dict)


class Values:
    """Values of packages, worked out once.

    Args:
        provider: that knows what is wanted, and of which files.
        opened: releases that are taken as a last resort.
    """

    def __init__(self, provider: Provider, *, opened: Opened) -> None:
        self._provider = provider
        self._catalog = provider.catalog
        self._pythons = provider.pythons
        self._opened = opened
        self._projects: dict[Name, ProjectReleases] = {}
        self._everything: dict[str, int] = {}
        self._wanted: dict[str, list[tuple[Candidate | None, Requirement]]] = {}
        self._met: list[Nogood] = []
        self._reasons = 0

    def everything(self, package: str) -> int:
        """All values of a package; Python and the machine are part of every solution."""
        found = self._everything.get(package)
        if found is None:
            if is_virtual(package):
                found = (2 << len(self._provider.answers(package))) - 2
            elif "[" in package:
                found = ABSENT | ON
                self._met.append(Nogood({package: ON, project_of(package): ABSENT}))
            else:
                found = self.project(project_of(package)).everything
            self._everything[package] = found
        return found

    def project(self, name: Name) -> ProjectReleases:
        """A project; the first time, its page is read."""
        project = self._projects.get(name)
        if project is None:
            releases = self._catalog.releases(name)
            is_last, preferred = name in self._opened.prereleases, self._provider.preferred.get(name)
            order = sorted(
                range(len(releases)),
                key=lambda n: (releases[n].version != preferred, is_last and releases[n].version.is_prerelease, n),
            )
            project = self._projects[name] = ProjectReleases(
                releases=releases,
                numbers={release.version: number for number, release in enumerate(releases)},
                order=tuple(order),
                everything=(2 << len(releases)) - 1,
            )
            if not self._catalog.opens_prereleases(name):
                self._leave_out_prereleases(name, project)
            self._leave_out_yanked(name, project)
            self._bind(name, project)
        return project

    def allowed(self, requirement: Requirement) -> int:
        """The values of a package that satisfy a requirement."""
        if is_virtual(requirement.name):
            answers = self._provider.answers(requirement.name)
            return sum(self._provider.meets(answer, requirement) << (n + 1) for n, answer in enumerate(answers))
        project = self.project(requirement.name)
        if not requirement.specifier and not requirement.any_of:
            return project.everything & ~ABSENT
        key = (requirement.specifier, requirement.any_of)
        found = project.masks.get(key)
        if found is None:
            bit, found = 1, 0
            for release in project.releases:
                bit <<= 1
                if self._catalog.allows(requirement, release.version):
                    found |= bit
            project.masks[key] = found
        return found

    def bit(self, candidate: Candidate) -> int:
        """The value of a candidate's release."""
        return 2 << self.project(candidate.name).numbers[candidate.version]

    def wanted(self, name: str) -> list[tuple[Candidate | None, Requirement]]:
        """Who requires a project (``None`` is the request), as far as it was read."""
        return self._wanted.get(name, [])

    def usable(self, identifier: str, release: Release, python: Version) -> Candidate | None:
        """The file of a release to install on a Python; a yanked one only if it was opened."""
        is_opened = (release.name, release.version) in self._opened.yanked
        return self._provider.usable(identifier, release, python, yanked=is_opened)

    # what forbids values

    def given(self, roots: Iterable[Want]) -> list[Nogood]:
        """What the root requires, and what the request asks for where its markers hold."""
        nogoods: list[Nogood] = []
        for want in roots:
            nogoods += self.nogoods(want, {}, None)
        holding: dict[tuple[str, int], tuple[Want, int]] = {}
        for number, python in enumerate(self._pythons):
            for want in self._provider.asked(python):
                if want.requirement.marker is not None:
                    key = (want.identifier, id(want.requirement))
                    first, values = holding.get(key, (want, 0))
                    holding[key] = (first, values | 2 << number)
        for want, values in holding.values():
            nogoods += self.nogoods(want, {PYTHON: values}, None)
        return [*nogoods, *self.met()]

    def met(self) -> list[Nogood]:
        """What holds for packages that were met since this was asked last."""
        met, self._met = self._met, []
        return met

    def nogoods(self, want: Want, terms: Mapping[str, int], parent: Candidate | None) -> list[Nogood]:
        """What a requirement forbids: the parent together with anything that does not satisfy it."""
        requirement = want.requirement
        reason = self.reason(Rule.WANT, requirement.name, want, parent)
        name = str(requirement.name)
        wrong = self.everything(name) & ~self.allowed(requirement)
        if not is_virtual(name):
            self._wanted.setdefault(name, []).append((parent, requirement))
        found = [Nogood({**terms, name: wrong & terms.get(name, wrong)}, reason)]
        if want.identifier != name:
            absent = ABSENT & terms.get(want.identifier, ABSENT)  # an extra may ask for itself
            found.append(Nogood({**terms, want.identifier: absent}, reason))
        return found

    def reason(self, rule: Rule, name: Name, want: Want | None = None, parent: Candidate | None = None) -> Reason:
        """A reason, with the next number."""
        self._reasons += 1
        return Reason(rule=rule, name=name, want=want, parent=parent, number=self._reasons)

    def widen(self, nogood: Nogood) -> None:
        """Extend a requirement to the Pythons on which the same file says the same."""
        reason = nogood.reason
        if not isinstance(reason, Reason) or reason.want is None or reason.parent is None:
            return
        if len(self._pythons) == 1 or PYTHON not in nogood.terms:
            return
        parent, want = reason.parent, reason.want
        project = self.project(parent.name)
        release = project.releases[project.numbers[parent.version]]
        is_yanked = parent.file.yanked is not None
        values = 0
        for number, python in enumerate(self._pythons):
            is_same = python == parent.python or (
                self._catalog.choice(release, python, yanked=is_yanked)[0] == parent.file
                and self._provider.is_held(want.requirement, python, parent.extra)
            )
            values |= is_same << (number + 1)
        if want.identifier == PYTHON:
            values &= ~self.allowed(want.requirement)
        nogood.terms[PYTHON] = values

    def _leave_out_prereleases(self, name: Name, project: ProjectReleases) -> None:
        """As long as there is a final release that nothing known rules out."""
        values = sum(release.version.is_prerelease * 2 << number for number, release in enumerate(project.releases))
        if not values:
            return
        finals = (each.version for each in project.releases if not each.version.is_prerelease and not each.is_yanked)
        if name not in self._opened.prereleases:
            if next(finals, None) is not None:  # to see that a release is not yanked takes reading all its files
                self._met.append(Nogood({name: values}, self.reason(Rule.PRERELEASE, name)))
            return
        for final in finals:
            self._forbid_unless(name, values, partial(_excludes, final))

    def _leave_out_yanked(self, name: Name, project: ProjectReleases) -> None:
        """As long as nothing known requires exactly that version."""
        for opened, version in self._opened.yanked:
            if opened == name and version in project.numbers and project.releases[project.numbers[version]].is_yanked:
                value = 2 << project.numbers[version]
                self._forbid_unless(name, value, partial(_pins, version))

    def _forbid_unless(self, name: Name, values: int, allows: Callable[[SpecifierSet], bool]) -> None:
        """Forbid releases of a project unless one of those that are known to allow them is chosen."""
        parents: dict[Name, int] = {}
        for wanted, parent, bounds in self._opened.wanted:
            if wanted == name and allows(bounds):
                if parent is None:
                    return
                other = self.project(parent[0])
                parents[parent[0]] = parents.get(parent[0], 0) | 2 << other.numbers[parent[1]]
        terms: dict[str, int] = {
            parent: self.everything(parent) & ~chosen for parent, chosen in sorted(parents.items())
        }
        terms[name] = values & terms.get(name, values)
        self._met.append(Nogood(terms, self.reason(Rule.EXCEPTION, name)))

    def _bind(self, name: Name, project: ProjectReleases) -> None:
        """Constraints on a project, where their markers hold."""
        holding: dict[int, tuple[Requirement, int]] = {}
        for number, python in enumerate(self._pythons):
            for bound in self._provider.bounds(name, python):
                _, values = holding.get(id(bound), (bound, 0))
                holding[id(bound)] = (bound, values | 2 << number)
        for bound, values in holding.values():
            terms = {name: project.everything & ~ABSENT & ~self.allowed(bound), PYTHON: values}
            self._met.append(Nogood(terms, self.reason(Rule.BOUND, name)))


def _excludes(version: Version, specifier: SpecifierSet) -> bool:
    return not specifier.contains(version, prereleases=True)


def _pins(version: Version, specifier: SpecifierSet) -> bool:
    return is_exact(specifier) and specifier.contains(version, prereleases=True)


def project_of(package: str) -> Name:
    """The project of an extra; any other package itself."""
    return Name(package.partition("[")[0])
