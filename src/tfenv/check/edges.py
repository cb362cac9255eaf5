"""Every requirement of what is fixed, compared with what else is fixed and with the machine. Nothing is searched."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.check.clash import Clash, ClashKind, Edges
from tfenv.check.question import Fixed
from tfenv.check.ranges import compatible
from tfenv.check.words import platforms_of, pythons_of
from tfenv.errors import IndexUnavailable
from tfenv.facts.projects import OLDEST
from tfenv.facts.rules import UNPROVEN
from tfenv.model import tags
from tfenv.model.package import TENSORFLOW, Name, Requirement
from tfenv.model.target import Accelerator, Platform
from tfenv.overlay.overlay import AND_CUDA, CPU, GPU
from tfenv.overlay.present import SYSTEM_CUDA, SYSTEM_CUDNN
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.provider import Provider
from tfenv.resolver.virtual import VirtualCandidate, answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.check.knowledge import Knowledge
    from tfenv.check.question import Question
    from tfenv.facts.rules import Demand
    from tfenv.model.package import File, Release
    from tfenv.model.report import Caution


def edges(knowledge: Knowledge, question: Question, version: Version | None, python: Version) -> Edges:
    """The pass over what is fixed, with one release of TensorFlow on one Python.

    Args:
        knowledge: facts and releases.
        question: what is fixed, and the machine.
        version: release of TensorFlow; ``None`` if there is none.
        python: `X.Y` or `X.Y.Z`.
    """
    return _Pass(knowledge, question, version, full(python)).run()


def full(python: Version) -> Version:
    """The Python with a patch number; a minor alone means its newest patch release."""
    return python if len(python.release) > 2 else Version(f"{python.major}.{python.minor}.99")


class _Pass:
    def __init__(self, knowledge: Knowledge, question: Question, version: Version | None, python: Version) -> None:
        self._knowledge = knowledge
        self._question = question
        self._target = question.target
        self._python = python
        self._overlay = knowledge.overlay(question.target, version)
        self._catalog = Catalog(self._overlay, self._target, build=True)
        self._provider = Provider(
            replace(question.goal, constraints=()),
            self._catalog,
            asked=(),
            pythons=(python,),
            preferred={},
            first=Name(""),
        )
        self._machine = answers(self._target, (python,))
        self._fixed = {one.name: one for one in question.fixed}
        self._tensorflow: Name | None = None
        if version is not None:
            self._tensorflow = knowledge.distribution(question, version)
            specifier = SpecifierSet(f"=={version}")
            self._fixed[self._tensorflow] = Fixed(name=self._tensorflow, specifier=specifier)
        self._clashes: list[Clash] = []
        self._needs: list[Requirement] = []
        self._unknown: dict[str, None] = {}
        self._cautions: dict[Caution, None] = {}
        self._requires: dict[Name, set[Name]] = {}
        self._asked: list[tuple[Name, Requirement]] = []
        self._lacking: dict[Name, tuple[Candidate, Requirement]] = {}
        self._brought: set[Name] = set()
        self._bundled = False

    def run(self) -> Edges:
        waiting = deque(self._in_order())
        done: set[Name] = set()
        while waiting:
            one = waiting.popleft()
            if one.name in done:
                continue
            done.add(one.name)
            if one.name in (SYSTEM_CUDA, SYSTEM_CUDNN):
                self._system(self._fixed[one.name])
                continue
            candidate = self._candidate(one)
            if candidate is not None:
                waiting.extend(self._follow(candidate))
        self._missing()
        related = self._related()
        return Edges(
            python=Version(f"{self._python.major}.{self._python.minor}"),
            clashes=tuple(replace(clash, near=self._is_near(clash, related)) for clash in self._clashes),
            needs=tuple(self._needs),
            unknown=tuple(self._unknown),
            cautions=tuple(self._cautions),
            requires={name: frozenset(names) for name, names in self._requires.items()},
            asked=tuple(self._asked),
            bundled=self._bundled,
        )

    def _in_order(self) -> list[Fixed]:
        """TensorFlow first; the CUDA stack last, because of several TensorFlow chooses."""
        last = (SYSTEM_CUDA, SYSTEM_CUDNN)
        return sorted(self._fixed.values(), key=lambda one: (one.name in last, one.name != self._tensorflow))

    # one package

    def _candidate(self, one: Fixed) -> Candidate | None:
        """The file that is, or would be, installed; ``None`` if nothing follows from the package."""
        version = one.version
        if version is None:
            return None
        release = self._knowledge.release(one.name, version, self._target)
        if release is None:
            self._absent(one, version)
            return None
        file = self._catalog.file(release, self._python, yanked=True)
        if file is None and self._question.observed:
            file = min(release.files, key=lambda file: (not file.is_wheel, file.filename), default=None)
        if file is None:
            self._without_file(one, version, release)
            return None
        if not file.is_wheel and any(other.is_wheel for other in release.files) and not self._question.observed:
            if self._knowledge.needs_a_wheel(release, self._target.platform):
                self._without_file(one, version, release)
                return None
            self._unknown[f"{one.name} {version} has no wheel for {self._here}: whether its source builds"] = None
        return Candidate(one.name, one.name, version, self._python, file, glibc=self._catalog.glibc(file, self._python))

    @property
    def _here(self) -> str:
        return f"Python {self._python.major}.{self._python.minor} on {self._target.platform}"

    def _absent(self, one: Fixed, version: Version) -> None:
        elsewhere = version.local is not None or one.name in self._question.conda
        if elsewhere or one.name in self._knowledge.source.unasked or version.is_prerelease:
            self._unknown[f"{one.name}: nothing is known of {version}"] = None
            return
        known = self._knowledge.source.releases(one.name)
        if not known:
            self._unknown[f"{one.name}: no index knows it"] = None
        elif self._knowledge.index is None and version > known[0].version:
            self._unknown[f"{one.name}: {version} is newer than what tfenv knows without an index"] = None
        else:
            requirement = Requirement(name=one.name, specifier=one.specifier, code="package-missing")
            self._clash(ClashKind.ABSENT, requirement, (one.name, version), str(known[0].version))

    def _without_file(self, one: Fixed, version: Version, release: Release) -> None:
        """No file of the release fits: because of the Python, or of the platform."""
        if self._python < OLDEST and not any(file.url for file in release.files) and one.name != self._tensorflow:
            self._unknown[f"{one.name} {version}: which wheels it has for {self._here}"] = None
            return
        here = [file for file in release.files if file.is_wheel and _serves(file, self._target.platform)]
        code = "python-no-wheel" if here else "platform-no-wheel"
        given = pythons_of(here) if here else platforms_of(release)
        source = (here or list(release.files))[0].filename if release.files else ""
        requirement = Requirement(name=Name(PYTHON), code=code)
        self._clash(ClashKind.FILE, requirement, (one.name, version), given, source)

    # its requirements

    def _follow(self, candidate: Candidate) -> Iterator[Fixed]:
        """Compare all that a file requires; yields what it requires exactly and is not fixed itself."""
        name = candidate.name
        self._requires.setdefault(name, set())
        if name == self._tensorflow or self._overlay.demands(name, candidate.version):
            self._of_the_build(candidate)
        try:
            wants = list(self._provider.wanted(candidate))
        except IndexUnavailable:
            if not self._fixed[name].by:
                self._unknown[f"{name} {candidate.version}: what it requires"] = None
            return
        if (name, candidate.version) in self._knowledge.source.silent and not self._fixed[name].by:
            self._unknown[f"{name} {candidate.version}: what it requires"] = None
        for want in wants[1:]:  # the first one binds the file to its Python
            requirement = want.requirement
            if is_virtual(want.identifier):
                self._of_the_machine(candidate, want.identifier, requirement)
                continue
            yield from self._of_a_package(candidate, requirement)

    def _of_the_machine(self, candidate: Candidate, identifier: str, requirement: Requirement) -> None:
        offers = self._machine.get(identifier, ())
        if any(_is_unsaid(offer) for offer in offers):
            if requirement.specifier != SpecifierSet("==0"):
                self._needs.append(requirement)
                return
        elif any(offer.satisfies(requirement) for offer in offers):
            return
        if identifier == PYTHON and self._question.observed:
            return
        self._clash(ClashKind.MACHINE, requirement, (candidate.name, candidate.version), source=candidate.file.filename)

    def _of_a_package(self, candidate: Candidate, requirement: Requirement) -> Iterator[Fixed]:
        name = requirement.name
        if name == candidate.name:
            return
        self._requires[candidate.name].add(name)
        self._asked.append((candidate.name, requirement))
        if requirement.brought == "metadata":
            self._brought.add(name)
        given, parent = self._fixed.get(name) or self._stands_for(name), (candidate.name, candidate.version)
        if given is not None:
            if name in (SYSTEM_CUDA, SYSTEM_CUDNN) and not _fits(given, requirement):
                stacks = [one for one in self._question.also if one.name == name and _fits(one, requirement)]
                given = self._fixed[name] = stacks[0] if stacks else given
            if not _fits(given, requirement):
                if requirement.code == "keras-mismatch" and Name("tf-keras") in self._fixed:
                    self._unknown[f"whether TF_USE_LEGACY_KERAS is set, which {candidate.name} needs"] = None
                else:
                    self._clash(ClashKind.VERSION, requirement, parent, given.words, candidate.file.filename)
            return
        if name in (SYSTEM_CUDA, SYSTEM_CUDNN):
            self._needs.append(requirement)
            return
        exact = Fixed(name=name, specifier=requirement.specifier, by=f"{candidate.name} {candidate.version}")
        if exact.version is not None and not self._question.complete:
            self._fixed[name] = exact
            self._asked_before(exact, candidate, requirement)
            yield exact
            return
        self._lacking.setdefault(name, (candidate, requirement))

    def _asked_before(self, exact: Fixed, candidate: Candidate, pin: Requirement) -> None:
        """What was required earlier of a package that another one pins."""
        for parent, earlier in self._asked:
            if earlier.name == exact.name and not _fits(exact, earlier):
                words = f"asked for as {earlier.specifier}, which {parent} requires"
                self._clash(ClashKind.VERSION, pin, (candidate.name, candidate.version), words)
                return

    def _stands_for(self, name: Name) -> Fixed | None:
        """TensorFlow, under whatever name it is installed."""
        table = self._knowledge.database.distributions
        row = table.of(name)
        if row is None or self._tensorflow is None or not (row.numbered or row.builder):
            return None
        if name not in (TENSORFLOW, GPU, CPU) and self._question.distribution != name:
            return None
        return self._fixed[self._tensorflow]

    def _missing(self) -> None:
        """What is required and not there: in a complete set all of it, else what no installer would bring.

        A list that lacks a quarter of what it requires is not complete, whatever it looks like.
        """
        required = {name for names in self._requires.values() for name in names}
        complete = self._question.complete and (self._question.observed or 4 * len(self._lacking) <= len(required))
        for name, (candidate, requirement) in self._lacking.items():
            if name in self._fixed or self._stands_for(name) is not None:
                continue
            if self._tensorflow is None and self._knowledge.database.distributions.of(name) is not None:
                continue  # it is there under the name of another builder, or nothing is known of it
            by_facts = requirement.brought == "fact" and name not in self._knowledge.brought(self._brought)
            if complete or by_facts:
                parent = (candidate.name, candidate.version)
                self._clash(ClashKind.MISSING, requirement, parent, source=candidate.file.filename)

    # the build, and the libraries it opens

    def _of_the_build(self, candidate: Candidate) -> None:
        for demand in self._overlay.demands(candidate.name, candidate.version):
            self._warn(demand)
        if candidate.name != self._tensorflow:
            return
        metadata = self._overlay.metadata(candidate.file)
        self._bundled = AND_CUDA in metadata.extras
        if not self._question.accelerated:
            return
        build = self._overlay.build(candidate.name, candidate.version)
        subject = f"{candidate.name} {candidate.version}"
        if build is None:
            demands = self._overlay.demands(candidate.name, candidate.version)
            if self._target.accelerator is Accelerator.CUDA and not demands:
                self._unknown[f"the build of {subject} for {self._target.platform}"] = None
            return
        for unsaid in build.unknown:
            if build.is_cuda and unsaid in ("sass", "cuda"):
                self._unknown[f"{unsaid} of {subject}, which its wheel does not tell"] = None

    def _system(self, one: Fixed) -> None:
        """What a cuDNN that is there asks of the machine."""
        version = one.version
        if one.name != SYSTEM_CUDNN or version is None or not self._question.accelerated:
            return
        cuda = self._cuda_major()
        if cuda is None:
            return
        demands = self._overlay.cudnn_demands(version, cuda)
        if demands is None:
            newest = self._overlay.newest_cudnn(cuda)
            if newest is not None and newest < version:
                self._unknown[f"cudnn: {version} for CUDA {cuda} is newer than what the database knows"] = None
            return
        for demand in demands:
            self._warn(demand)
            if demand.requirement.code == "cudnn-known-bad" and not self._target.gpus:
                continue
            requirement = demand.requirement
            offers = self._machine.get(requirement.name, ())
            if any(_is_unsaid(offer) for offer in offers):
                self._needs.append(requirement)
            elif not any(offer.satisfies(requirement) for offer in offers):
                self._clash(ClashKind.MACHINE, requirement, (SYSTEM_CUDNN, version))

    def _warn(self, demand: Demand) -> None:
        """What is due even if the demand is met; what nothing settles is unknown."""
        if demand.caution is None:
            return
        if demand.caution.code == UNPROVEN:
            self._unknown[demand.caution.message] = None
        else:
            self._cautions[demand.caution] = None

    def _cuda_major(self) -> int | None:
        """Of the CUDA that is there, else of the build."""
        given = self._fixed.get(SYSTEM_CUDA)
        if given is not None:
            return next((Version(one.version.removesuffix(".*")).major for one in given.specifier), None)
        if self._tensorflow is None:
            return None
        tensorflow = self._fixed[self._tensorflow].version
        build = None if tensorflow is None else self._overlay.build(self._tensorflow, tensorflow)
        return None if build is None or build.cuda is None else build.cuda.major

    # how

    def _clash(
        self,
        kind: ClashKind,
        requirement: Requirement,
        parent: tuple[Name, Version],
        given: str = "",
        source: str = "",
    ) -> None:
        name, version = parent
        of_the_file = kind in (ClashKind.FILE, ClashKind.MACHINE) or requirement.name in (SYSTEM_CUDA, SYSTEM_CUDNN)
        if of_the_file and name in self._question.conda:
            self._unknown[f"{name} {version}: what conda's build needs, which may differ from PyPI's"] = None
            return
        self._clashes.append(Clash(kind=kind, requirement=requirement, parent=parent, given=given, source=source))

    def _related(self) -> set[Name] | None:
        """TensorFlow, all that it requires, and all that require it; ``None`` without TensorFlow."""
        if self._tensorflow is None:
            return None
        below = _reached({self._tensorflow}, self._requires)
        above: dict[Name, set[Name]] = {}
        for parent, names in self._requires.items():
            for name in names:
                real = self._tensorflow if self._stands_for(name) is not None else name
                above.setdefault(real, set()).add(parent)
        return below | _reached({self._tensorflow}, above)

    def _is_near(self, clash: Clash, related: set[Name] | None) -> bool:
        if related is None or clash.kind is not ClashKind.VERSION or clash.requirement.brought == "fact":
            return True
        return clash.parent[0] in related or clash.requirement.name in related


def _reached(names: set[Name], edges: Mapping[Name, set[Name]]) -> set[Name]:
    found, waiting = set(names), list(names)
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _fits(given: Fixed, requirement: Requirement) -> bool:
    version = given.version
    if version is not None:
        return requirement.allows(version)
    ranges = [requirement.specifier & one for one in requirement.any_of] or [requirement.specifier]
    return any(compatible(given.specifier, one) for one in ranges)


def _is_unsaid(offer: VirtualCandidate) -> bool:
    return offer.versions is None and offer.words is None


def _serves(file: File, platform: Platform) -> bool:
    return any(tags.serves(platform, tag.platform) for tag in file.tags)
