"""The questions of resolvelib, answered for one request: what is wanted of projects, of Python and of the machine."""

# ruff: noqa: ARG002  # resolvelib decides which arguments its questions have
from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from resolvelib.providers import AbstractProvider

from tfenv.model import tags
from tfenv.model.package import Name, Requirement
from tfenv.resolver.ahead import Ahead
from tfenv.resolver.candidate import PYTHON, Candidate, Want, is_lockable, is_virtual, wants
from tfenv.resolver.catalog import is_exact
from tfenv.resolver.virtual import VirtualCandidate, answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from packaging.markers import Marker
    from packaging.version import Version
    from resolvelib.structs import Matches, RequirementInformation

    from tfenv.model.goal import Goal
    from tfenv.model.package import File, Release
    from tfenv.resolver.catalog import Catalog

Choice = Candidate | VirtualCandidate
"""What can be chosen: a file of an index, or an answer of the target."""


class Provider(AbstractProvider[Want, Choice, str]):
    """Requirements and candidates of one request; every answer is worked out once.

    What was asked for by name is required by the root, so that a hopeless wish fails before anything else is read, and
    by each Python, so that its markers are read for that Python and its files are looked for there.

    Args:
        request: what is asked for.
        catalog: releases and files.
        asked: requirements of the request, that on TensorFlow among them.
        pythons: full versions.
        preferred: versions to try first.
        first: project that is chosen before anything else.

    Attributes:
        first: project that is chosen before anything else.
        preferred: versions to try first.
        pythons: full versions, best first.
        warnings: what could not be known, as keys, in the order of discovery.
        held: project to version to the glibc that its file needs and the target does not have.
    """

    def __init__(
        self,
        request: Goal,
        catalog: Catalog,
        *,
        asked: Sequence[Requirement],
        pythons: Sequence[Version],
        preferred: Mapping[Name, Version],
        first: Name,
    ) -> None:
        self.catalog = catalog
        self.first = first
        self._asked = asked
        self._constraints = request.constraints
        self._platform = request.target.platform
        self.preferred = preferred
        self.pythons = sorted(pythons, key=lambda python: _is_preferred(python, preferred), reverse=True)
        self._virtual = answers(request.target, self.pythons)
        self._candidates: dict[tuple[str, Version, Version], Candidate] = {}
        self._requires: dict[tuple[str, Version, Version], list[Want]] = {}
        self._asked_on: dict[Version, list[Want]] = {}
        self._before: dict[Candidate, list[Want]] = {}
        self._only: dict[Version, Want] = {}
        self._same: dict[Candidate, Want] = {}
        self._met: dict[tuple[int, int], tuple[bool, Requirement]] = {}
        self._bounded: dict[int, tuple[bool, bool, Requirement]] = {}
        self._evaluated: dict[tuple[int, Version, str], tuple[bool, Marker, bool]] = {}
        self._environments: dict[Version, dict[str, str]] = {}
        self._ahead = Ahead(catalog, first=first, preferred=preferred, holds=self.is_held)
        self.warnings: dict[str, None] = {}
        self.held: dict[Name, dict[Version, Requirement]] = {}

    # what resolvelib asks

    def identify(self, requirement_or_candidate: Want | Choice) -> str:
        """Both carry it."""
        return requirement_or_candidate.identifier

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Choice],
        candidates: Mapping[str, Iterator[Choice]],
        information: Mapping[str, Iterator[RequirementInformation[Want, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Choice]],
    ) -> Iterable[str]:
        """The first project, then Python and the machine, then what was in the last conflict, then the rest."""
        left = list(identifiers)
        if self.first in left:
            return [self.first]
        if virtual := [identifier for identifier in left if is_virtual(identifier)]:
            return virtual[:1]
        clashed = {cause.requirement.identifier for cause in backtrack_causes}
        clashed |= {cause.parent.identifier for cause in backtrack_causes if cause.parent is not None}
        return [identifier for identifier in left if identifier in clashed] or left

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Choice],
        candidates: Mapping[str, Iterator[Choice]],
        information: Mapping[str, Iterator[RequirementInformation[Want, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Choice]],
    ) -> tuple[bool, bool]:
        """Exact pins, then what is bounded from above; the order of discovery decides the rest."""
        found = [self.strictness(each.requirement.requirement) for each in information[identifier]]
        return not any(exact for exact, _ in found), not any(bounded for _, bounded in found)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Want]],
        incompatibilities: Mapping[str, Iterator[Choice]],
    ) -> Matches[Choice]:
        """Best first: the newest version, and for each version the newest Python."""
        asked = list(requirements[identifier])
        refused = set(incompatibilities[identifier])
        if is_virtual(identifier):
            return [
                answer
                for answer in self.answers(identifier)
                if answer not in refused and all(self.meets(answer, want.requirement) for want in asked)
            ]
        return lambda: (candidate for candidate in self._matches(identifier, asked) if candidate not in refused)

    def is_satisfied_by(self, requirement: Want, candidate: Choice) -> bool:
        """Same version, and same Python where the requirement is bound to one."""
        if isinstance(candidate, VirtualCandidate):
            return self.meets(candidate, requirement.requirement)
        if requirement.python is not None and requirement.python != candidate.python:
            return False
        return self.catalog.allows(requirement.requirement, candidate.version)

    def get_dependencies(self, candidate: Choice) -> Iterator[Want]:
        """What a candidate requires, without what every answer of the target meets.

        An extra requires its project; the first project always requires its Python, which requires what was asked for.
        """
        if isinstance(candidate, VirtualCandidate):
            if candidate.identifier == PYTHON and candidate.versions is not None:
                yield from self.asked(candidate.versions[0])
            return
        if candidate.extra:
            if candidate not in self._same:
                same = Requirement(name=candidate.name, specifier=SpecifierSet(f"==={candidate.version}"))
                self._same[candidate] = Want(candidate.name, same, candidate.python)
            yield self._same[candidate]
        for want in self.wanted(candidate):
            if candidate.name == self.first or not is_virtual(want.identifier) or not self.is_met_anyhow(want):
                yield want

    # what candidates want

    def wanted(self, candidate: Candidate) -> Iterator[Want]:
        """Python first, then the machine, then packages; a generator, so that a clash ends it before more is read."""
        if (before := self._before.get(candidate)) is None:
            before = self._before[candidate] = self.at_once(candidate)
        yield from before
        key = (candidate.identifier, candidate.version, candidate.python)
        if key not in self._requires:
            found = self._requires[key] = self._read(candidate)
            if candidate.name == self.first:
                self._ahead.begin(candidate.file, candidate.python)
            self._ahead.follow(found, candidate.python)
        yield from self._requires[key]

    # what the request asks

    def roots(self) -> list[Want]:
        """TensorFlow, and everything that is asked for whatever the Python."""
        python = self.pythons[0]
        for requirement in self._asked:
            if self.is_held(requirement, python, ""):
                self._ahead.follow(wants(requirement, python), python)
        return [want for requirement in self._asked if requirement.marker is None for want in wants(requirement, None)]

    def asked(self, python: Version) -> list[Want]:
        """What the request asks for on one Python, markers read."""
        if python not in self._asked_on:
            self._asked_on[python] = [
                want
                for requirement in self._asked
                if self._holds(requirement, python, "", "the request")
                for want in wants(requirement, python)
            ]
        return self._asked_on[python]

    def is_met_anyhow(self, want: Want) -> bool:
        """Is it on the machine, and met by every answer that the target could give?"""
        found = self.answers(want.identifier)
        return bool(found) and all(self.meets(answer, want.requirement) for answer in found)

    def answers(self, identifier: str) -> tuple[VirtualCandidate, ...]:
        """What the target has of a virtual package, best first; empty if it knows of no such thing."""
        return self._virtual.get(identifier, ())

    def strictness(self, requirement: Requirement) -> tuple[bool, bool]:
        """Does it name one version exactly, and does it bound versions from above?"""
        found = self._bounded.get(id(requirement))
        if found is None:
            operators = {one.operator for one in requirement.specifier}
            found = (bool(operators & {"==", "==="}), bool(operators & {"<", "<=", "~="}), requirement)
            self._bounded[id(requirement)] = found  # kept, so that no other takes its id
        return found[0], found[1]

    def take(self, candidate: Candidate) -> None:
        """Expect the metadata of a candidate, which is about to be read, and what it requires."""
        self._ahead.take(candidate.identifier, candidate.file, candidate.python)

    def usable(self, identifier: str, release: Release, python: Version, *, yanked: bool = False) -> Candidate | None:
        """The file of a release to install; ``None`` also if no lock can hold it, or if it needs a newer glibc.

        No search changes that, so it is not even tried. The first project is what the explanation is about, and is.

        Args:
            identifier: project, or one of its extras.
            release: release of the project.
            python: full version.
            yanked: whether a yanked file is taken if no other fits.
        """
        file = self.catalog.file(release, python, yanked=yanked)
        if file is None or not is_lockable(file):
            return None
        candidate = self.candidate(identifier, release.version, python, file)
        if candidate.name == self.first or not self.catalog.is_too_new(candidate.glibc):
            return candidate
        if not candidate.extra:
            self.held.setdefault(candidate.name, {})[candidate.version] = self.at_once(candidate)[-1].requirement
        return None

    def candidate(self, identifier: str, version: Version, python: Version, file: File) -> Candidate:
        """One file of a release, for one Python; always the same object."""
        key = (identifier, version, python)
        if key not in self._candidates:
            name, _, extra = identifier.rstrip("]").partition("[")
            glibc = self.catalog.glibc(file, python)
            self._candidates[key] = Candidate(identifier, Name(name), version, python, file, extra, glibc)
        return self._candidates[key]

    def bounds(self, name: Name, python: Version) -> list[Requirement]:
        """The constraints on a project that hold on a Python."""
        return [
            constraint
            for constraint in self._constraints
            if constraint.name == name and self._holds(constraint, python, "", "a constraint")
        ]

    def meets(self, candidate: VirtualCandidate, requirement: Requirement) -> bool:
        """Does an answer of the target satisfy a requirement?"""
        key = (id(candidate), id(requirement))
        if key not in self._met:
            self._met[key] = (candidate.satisfies(requirement), requirement)  # kept, so that no other takes its id
        return self._met[key][0]

    def at_once(self, candidate: Candidate) -> list[Want]:
        """What the name of a file says."""
        python = candidate.python
        if python not in self._only:
            minor = SpecifierSet(f"=={python.major}.{python.minor}.*")
            self._only[python] = Want(PYTHON, Requirement(name=Name(PYTHON), specifier=minor), None)
        found = [self._only[python]]
        if candidate.glibc is not None and not candidate.extra:
            because = f"{candidate.name} {candidate.version} is built for glibc {candidate.glibc} and newer"
            needed = Requirement(
                name=Name("__glibc"),
                specifier=SpecifierSet(f">={candidate.glibc}"),
                because=because,
                source=candidate.file.filename,
            )
            found.append(Want("__glibc", needed, None))
        return found

    def _matches(self, identifier: str, asked: Sequence[Want]) -> Iterator[Candidate]:
        """Candidates of a project or an extra that satisfy what is asked and the constraints; yanked files last."""
        name = Name(identifier.partition("[")[0])
        fixed = {want.python for want in asked if want.python is not None}
        if len(fixed) > 1:
            return
        pythons = fixed or self.pythons
        bounds = {python: self.bounds(name, python) for python in pythons}
        everywhere = [bound for bound in self._constraints if all(bound in each for each in bounds.values())]
        requirements = [want.requirement for want in asked]
        matching = self.catalog.matching(name, [*requirements, *everywhere], preferred=self.preferred.get(name))
        yanked: list[Candidate] = []
        for release in matching:
            for python, bound in bounds.items():
                if not all(self.catalog.allows(each, release.version) for each in bound):
                    continue
                is_pinned = any(is_exact(each.specifier) for each in (*requirements, *bound))
                candidate = self.usable(identifier, release, python, yanked=is_pinned)
                if candidate is None:
                    continue
                if candidate.file.yanked is None:
                    yield candidate
                else:
                    yanked.append(candidate)
        yield from yanked

    def _read(self, candidate: Candidate) -> list[Want]:
        """What the metadata of a candidate asks for on its Python."""
        metadata = self.catalog.source.metadata(candidate.file)
        found: list[Want] = []
        if metadata.requires_python is not None and not candidate.extra:
            said = Requirement(name=Name(PYTHON), specifier=metadata.requires_python, source=metadata.source)
            found.append(Want(PYTHON, said, None))
        if candidate.extra and candidate.extra not in metadata.extras:
            self.warnings[f"{candidate.name} {candidate.version} has no extra `{candidate.extra}`"] = None
        subject = f"{candidate.name} {candidate.version}"
        for requirement in metadata.requires:
            if not requirement.may_hold(candidate.extra):
                continue
            if candidate.extra and self._holds(requirement, candidate.python, "", subject):
                continue  # the project itself asks for it already
            if self._holds(requirement, candidate.python, candidate.extra, subject):
                found.extend(wants(requirement, None if is_virtual(requirement.name) else candidate.python))
        found.sort(key=lambda want: not is_virtual(want.identifier))
        return found

    def is_held(self, requirement: Requirement, python: Version, extra: str) -> bool:
        """Does the marker of a requirement hold on a Python, with an extra (`""`: none)?"""
        return requirement.marker is None or self._evaluate(requirement.marker, python, extra)[0]

    def _holds(self, requirement: Requirement, python: Version, extra: str, subject: str) -> bool:
        marker = requirement.marker
        if marker is None:
            return True
        found = self._evaluate(marker, python, extra)
        if found[2]:
            self.warnings[
                f"{subject} wants {requirement.name} depending on the kernel, which is not known: {marker}"
            ] = None
        return found[0]

    def _evaluate(self, marker: Marker, python: Version, extra: str) -> tuple[bool, Marker, bool]:
        """Does it hold, and does it ask for what is not known? The marker is kept, so that no other takes its id."""
        key = (id(marker), python, extra)
        found = self._evaluated.get(key)
        if found is None:
            environment_ = self._environments.get(python)
            if environment_ is None:
                environment_ = self._environments[python] = tags.markers(self._platform, python)
            values: dict[str, Any] = {**environment_, "extra": extra}
            found = self._evaluated[key] = (marker.evaluate(values), marker, _asks_of_the_kernel(marker))
        return found


def _asks_of_the_kernel(marker: Marker) -> bool:
    text = str(marker)
    return "platform_release" in text or "platform_version" in text


def _is_preferred(python: Version, preferred: Mapping[Name, Version]) -> bool:
    wanted = preferred.get(Name(PYTHON))
    return wanted is not None and (python.major, python.minor) == (wanted.major, wanted.minor)
