"""The questions of resolvelib, answered for Python packages and machines."""

# ruff: noqa: ARG002  # resolvelib decides what its questions carry
from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from resolvelib.providers import AbstractProvider

from tfenv.model import tags
from tfenv.model.package import Name, Requirement
from tfenv.resolver.ahead import Ahead
from tfenv.resolver.candidate import PYTHON, Candidate, Want, is_virtual, wants
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

_AHEAD = 4
"""How many next-best files to fetch metadata for once the best one was turned down."""


class Provider(AbstractProvider[Want, Choice, str]):
    """Answers for one request.

    What was asked for by name hangs on the root (so that a hopeless wish fails before anything else is looked at) and
    on each Python candidate (so that its markers are read for that Python, and its wheels are looked for there).
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
        self._first = first
        self._asked = asked
        self._constraints = request.constraints
        self._platform = request.target.platform
        self._preferred = preferred
        self._pythons = sorted(pythons, key=lambda python: _is_preferred(python, preferred), reverse=True)
        self._virtual = answers(request.target, self._pythons)
        self._candidates: dict[tuple[str, Version, Version], Candidate] = {}
        self._requires: dict[tuple[str, Version, Version], list[Want]] = {}
        self._asked_on: dict[Version, list[Want]] = {}
        self._before: dict[Candidate, list[Want]] = {}
        self._only: dict[Version, Want] = {}
        self._met: dict[tuple[int, int], tuple[bool, Requirement]] = {}
        self._satisfied: dict[tuple[int, int], bool] = {}
        self._alive: list[tuple[Want, Choice]] = []  # whose ids these are
        self._bounded: dict[int, tuple[bool, bool, Requirement]] = {}
        self._seen: dict[str, int] = {}
        self._evaluated: dict[tuple[int, Version, str], tuple[bool, Marker, bool]] = {}
        self._environments: dict[Version, dict[str, str]] = {}
        self._ahead = Ahead(catalog, first=first, preferred=preferred, holds=self._is_held)
        self._clashes: Counter[str] = Counter()
        self._last_causes: tuple[int, ...] = ()
        self.warnings: dict[str, None] = {}
        self.held: dict[Name, dict[Version, Requirement]] = {}
        """Project to version to what it asks of the machine in vain."""

    # what resolvelib asks

    def identify(self, requirement_or_candidate: Want | Choice) -> str:
        """Both carry it."""
        return requirement_or_candidate.identifier

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
                candidate
                for candidate in self._virtual[identifier]
                if candidate not in refused and all(self._meets(candidate, want.requirement) for want in asked)
            ]
        return lambda: self._matches(identifier, asked, refused)

    def is_satisfied_by(self, requirement: Want, candidate: Choice) -> bool:
        """Same version, and same Python where the requirement is bound to one. Asked of all pairs in every round."""
        try:
            return self._satisfied[id(requirement), id(candidate)]
        except KeyError:
            found = self._satisfied[id(requirement), id(candidate)] = self._satisfies(requirement, candidate)
            self._alive.append((requirement, candidate))
            return found

    def get_dependencies(self, candidate: Choice) -> Iterator[Want]:
        """Without what every answer of the target meets: resolvelib would ask of it in every round.

        TensorFlow keeps its own, so that Python is chosen, on which hangs what the request asks for.
        """
        keeps = isinstance(candidate, VirtualCandidate) or candidate.name == self._first
        for want in self.wanted(candidate):
            if keeps or not is_virtual(want.identifier) or not self.is_met_anyhow(want):
                yield want

    def wanted(self, candidate: Choice) -> Iterator[Want]:
        """Python first, then the machine, then packages; a generator, so that a clash ends it before more is read."""
        if isinstance(candidate, VirtualCandidate):
            if candidate.identifier == PYTHON and candidate.versions is not None:
                yield from self.asked(candidate.versions[0])
            return
        if (before := self._before.get(candidate)) is None:
            before = self._before[candidate] = self._at_once(candidate)
        yield from before
        key = (candidate.identifier, candidate.version, candidate.python)
        if key not in self._requires:
            found = self._requires[key] = self._read(candidate)
            if candidate.name == self._first:
                self._ahead.begin(candidate.file, candidate.python)
            self._ahead.follow(found, candidate.python)
            for want in found:
                self._seen.setdefault(want.identifier, len(self._seen))
        yield from self._requires[key]

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Choice],
        candidates: Mapping[str, Iterator[Choice]],
        information: Mapping[str, Iterator[RequirementInformation[Want, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Choice]],
    ) -> Iterable[str]:
        """TensorFlow, then Python and the machine, then whatever last clashed, then the rest."""
        open_ = list(identifiers)
        clashed = {cause.requirement.identifier for cause in backtrack_causes}
        clashed |= {cause.parent.identifier for cause in backtrack_causes if cause.parent is not None}
        self._count(clashed, backtrack_causes)
        if self._first in open_:
            return [self._first]
        if virtual := [identifier for identifier in open_ if is_virtual(identifier)]:
            return virtual[:1]
        return [identifier for identifier in open_ if identifier in clashed] or open_

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Choice],
        candidates: Mapping[str, Iterator[Choice]],
        information: Mapping[str, Iterator[RequirementInformation[Want, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Choice]],
    ) -> tuple[int, bool, bool, int]:
        """What has clashed most, exact pins, then what is bounded from above, then in the order of discovery."""
        exact = bounded = False
        for info in information[identifier]:
            wanted = info.requirement.requirement
            how = self._bounded.get(id(wanted))
            if how is None:
                operators = {one.operator for one in wanted.specifier}
                how = (bool(operators & {"==", "==="}), bool(operators & {"<", "<=", "~="}), wanted)
                self._bounded[id(wanted)] = how
            exact, bounded = exact or how[0], bounded or how[1]
        seen = self._seen.setdefault(identifier, len(self._seen))
        return -self._clashes[identifier], not exact, not bounded, seen

    def _count(self, clashed: set[str], causes: Sequence[RequirementInformation[Want, Choice]]) -> None:
        """Remember a clash, once: its causes are told again until the next one."""
        these = tuple(map(id, causes))
        if these != self._last_causes:
            self._last_causes = these
            self._clashes.update(clashed)

    # what the request asks

    def roots(self) -> list[Want]:
        """TensorFlow, and everything that is asked for whatever the Python."""
        python = self._pythons[0]
        for requirement in self._asked:
            if self._is_held(requirement, python, ""):
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
        answers_ = self._virtual.get(want.identifier, ())
        return bool(answers_) and all(self._meets(answer, want.requirement) for answer in answers_)

    def matches(self, identifier: str, asked: Sequence[Want]) -> Iterator[Choice]:
        """As resolvelib sees them; for explanations."""
        return self._matches(identifier, asked, set())

    # how

    def _satisfies(self, requirement: Want, candidate: Choice) -> bool:
        if isinstance(candidate, VirtualCandidate):
            return self._meets(candidate, requirement.requirement)
        if requirement.python is not None and requirement.python != candidate.python:
            return False
        return self.catalog.allows(requirement.requirement, candidate.version)

    def _matches(self, identifier: str, asked: Sequence[Want], refused: set[Choice]) -> Iterator[Candidate]:
        project = Name(identifier.partition("[")[0])
        pythons = {want.python for want in asked if want.python is not None}
        if len(pythons) > 1:
            return
        exact = any(_is_exact(want.requirement.specifier) for want in asked)
        found = self.catalog.matching(
            project, [want.requirement for want in asked], preferred=self._preferred.get(project)
        )
        turned_down = False
        waiting: deque[Release] = deque()
        while (release := waiting.popleft() if waiting else next(found, None)) is not None:
            for python in pythons or self._pythons:
                file = self.catalog.file(release, python, yanked=exact)
                if file is None or not self._is_within_bounds(project, release.version, python):
                    continue
                candidate = self._candidate(identifier, release.version, python, file)
                if candidate in refused or self._is_hopeless(candidate):
                    continue
                self._ahead.take(identifier, file, python)
                if turned_down:
                    waiting.extend(islice(found, _AHEAD - 1 - len(waiting)))
                    ahead = (self.catalog.file(next_, python) for next_ in waiting)
                    self.catalog.source.expect([file for file in ahead if file is not None])
                yield candidate
                turned_down = True

    def _candidate(self, identifier: str, version: Version, python: Version, file: File) -> Candidate:
        key = (identifier, version, python)
        if key not in self._candidates:
            name, _, extra = identifier.rstrip("]").partition("[")
            glibc = self.catalog.glibc(file, python)
            self._candidates[key] = Candidate(identifier, Name(name), version, python, file, extra, glibc)
        return self._candidates[key]

    def _is_hopeless(self, candidate: Candidate) -> bool:
        """Is its file for a newer glibc than that of the target?

        No search changes that, so it is not even tried, which saves trying everything else around it. TensorFlow is
        what the explanation is about, and is.
        """
        if candidate.identifier == self._first or not self.catalog.is_too_new(candidate.glibc):
            return False
        if not candidate.extra:
            self.held.setdefault(candidate.name, {})[candidate.version] = self._at_once(candidate)[-1].requirement
        return True

    def bounds(self, name: Name, python: Version) -> list[Requirement]:
        """The constraints on a project that hold on a Python."""
        return [
            constraint
            for constraint in self._constraints
            if constraint.name == name and self._holds(constraint, python, "", "a constraint")
        ]

    def _is_within_bounds(self, name: Name, version: Version, python: Version) -> bool:
        return all(self.catalog.allows(bound, version) for bound in self.bounds(name, python))

    def _meets(self, candidate: VirtualCandidate, requirement: Requirement) -> bool:
        key = (id(candidate), id(requirement))
        if key not in self._met:
            self._met[key] = (candidate.satisfies(requirement), requirement)  # kept, so that no other takes its id
        return self._met[key][0]

    def _at_once(self, candidate: Candidate) -> list[Want]:
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

    def _read(self, candidate: Candidate) -> list[Want]:
        """What the metadata of a candidate asks for on its Python."""
        metadata = self.catalog.source.metadata(candidate.file)
        found: list[Want] = []
        if metadata.requires_python is not None and not candidate.extra:
            said = Requirement(name=Name(PYTHON), specifier=metadata.requires_python, source=metadata.source)
            found.append(Want(PYTHON, said, None))
        if candidate.extra:
            same = Requirement(name=candidate.name, specifier=SpecifierSet(f"=={candidate.version}"))
            found.append(Want(candidate.name, same, candidate.python))
            if candidate.extra not in metadata.extras:
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

    def _is_held(self, requirement: Requirement, python: Version, extra: str) -> bool:
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


def _is_exact(specifier: SpecifierSet) -> bool:
    return any(one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*")) for one in specifier)
