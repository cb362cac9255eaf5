"""One resolution: a request and a source in, pins out, or a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, Requirement
from tfenv.model.progress import Silent
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.diagnose import diagnose
from tfenv.resolver.outcome import Attempt, Conflict, Held, Link, Need, Pin, Resolution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from resolvelib.resolvers import Result
    from resolvelib.structs import RequirementInformation

    from tfenv.model.goal import Goal
    from tfenv.model.progress import Progress
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.protocols import Source
    from tfenv.resolver.provider import Choice, Provider
    from tfenv.resolver.reporter import Reporter

_MAX_ROUNDS = 5_000
"""A resolution of 150 packages takes about 200; a search that takes this many is lost."""

_TASK = "resolving"


def resolve(
    request: Goal,
    source: Source,
    *,
    pythons: Sequence[Version],
    preferred: Mapping[Name, Version] | None = None,
    progress: Progress | None = None,
    brief: bool = False,
) -> Resolution:
    """Choose Python, one file of each package, and what they need of the machine.

    TensorFlow comes first (the newest that is asked for), then the newest Python that everything wanted has wheels
    for, then the newest of everything else. Only when there is no solution in wheels and source-only releases
    are source distributions taken for releases whose wheels do not fit the target.

    Args:
        request: what is asked for; `request.target.python` of ``None`` leaves Python open.
        source: releases and metadata, facts laid over them.
        pythons: full version of each Python minor that exists, such as 3.13.9; the order does not matter.
        preferred: versions to try first where they are allowed, such as those of an existing lock (`python` too).
        progress: told of every pin.
        brief: a conflict need not say what it is about, only that there is one.

    Raises:
        Conflict: there is no solution; `smallest` finds out why, `explain` says it.
        IndexUnavailable: the source could not be asked.
    """
    run = _Run(request, source, pythons=pythons, preferred=preferred or {}, progress=progress or Silent(), brief=brief)
    try:
        return run.attempt()
    except Conflict:
        if not run.catalog.skipped_source:
            raise
    return _Run(
        request, source, pythons=pythons, preferred=preferred or {}, progress=run.progress, brief=brief, build=True
    ).attempt()


def candidates_of(request: Goal, pythons: Sequence[Version]) -> tuple[Version, ...]:
    """The Pythons that a request leaves open, as full versions, newest first."""
    wanted = request.target.python
    if wanted is None:
        return tuple(sorted(pythons, reverse=True))
    if len(wanted.release) > 2:
        return (wanted,)
    known = [python for python in pythons if python.release[:2] == wanted.release[:2]]
    return (max(known) if known else Version(f"{wanted.major}.{wanted.minor}.0"),)


class _Run:
    """One walk of resolvelib, and what is needed to tell about it."""

    def __init__(
        self,
        request: Goal,
        source: Source,
        *,
        pythons: Sequence[Version],
        preferred: Mapping[Name, Version],
        progress: Progress,
        brief: bool = False,
        build: bool = False,
    ) -> None:
        self._brief = brief
        self._request = request
        self._pythons = candidates_of(request, pythons)
        self._preferred = preferred
        self.progress = progress
        prereleases = TENSORFLOWS if request.prereleases else ()
        self.catalog = Catalog(source, request.target, prereleases=prereleases, build=build)

    def attempt(self) -> Resolution:
        from resolvelib import Resolver
        from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

        asked = (Requirement(name=TENSORFLOW, specifier=self._request.tensorflow), *self._request.requirements)
        provider = self._provider(asked, self._pythons, self._preferred)
        reporter = _reporter(self.progress)
        self.progress.start(_TASK)
        try:
            result = Resolver(provider, reporter).resolve(provider.roots(), max_rounds=_MAX_ROUNDS)
        except ResolutionImpossible as impossible:
            reporter.clashing(impossible.causes)
            raise self._conflict(asked, provider, impossible.causes, reporter) from None
        except ResolutionTooDeep:
            raise self._conflict(asked, provider, (), reporter) from None
        finally:
            self.progress.finish(_TASK)
        return self._resolution(result, provider, asked, {**reporter.held, **provider.held})

    def _provider(
        self, asked: Sequence[Requirement], pythons: Sequence[Version], preferred: Mapping[Name, Version]
    ) -> Provider:
        from tfenv.resolver.provider import Provider

        return Provider(
            self._request, self.catalog, asked=asked, pythons=pythons, preferred=preferred, first=TENSORFLOW
        )

    def _conflict(
        self,
        asked: Sequence[Requirement],
        provider: Provider,
        causes: Collection[RequirementInformation[Want, Choice]],
        reporter: Reporter,
    ) -> Conflict:
        """Told of the TensorFlow that was tried first: the end of a long search is about the oldest, which few want."""
        from resolvelib import Resolver
        from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

        tried, involved = reporter.tried, [_link(*each) for each in reporter.involved()]
        if self._brief:
            return Conflict((), gaps={}, involved=tuple(involved))
        attempt, pythons = None, self._pythons
        if tried:
            first = tried[0]
            attempt = Attempt(name=first.name, version=first.version, python=first.python)
            only = Requirement(name=TENSORFLOW, specifier=SpecifierSet(f"=={first.version}"))
            pythons = (first.python,)
            provider = self._provider((*asked, only), pythons, {})
            reporter = _reporter(self.progress)
            try:
                Resolver(provider, reporter).resolve(provider.roots(), max_rounds=_MAX_ROUNDS)
            except ResolutionImpossible as impossible:
                causes = impossible.causes
                reporter.clashing(causes)
                involved = [*(_link(*each) for each in reporter.involved()), *involved]
            except ResolutionTooDeep:
                causes = ()
        links = tuple(_link(*cause) for cause in causes if not provider.is_met_anyhow(cause.requirement))
        gaps = {}
        for subject in {cause.requirement.identifier: None for cause in causes}:
            if not is_virtual(subject):
                wants = [cause.requirement for cause in causes if cause.requirement.identifier == subject]
                if gap := diagnose(self.catalog, provider, subject, wants, pythons):
                    gaps[Name(subject)] = gap
        others = len({candidate.version for candidate in tried}) - 1
        return Conflict(links, gaps=gaps, attempt=attempt, others=max(others, 0), involved=tuple(involved))

    def _resolution(
        self,
        result: Result[Want, Choice, str],
        provider: Provider,
        asked: Sequence[Requirement],
        turned_down: Mapping[Name, Mapping[Version, Requirement]],
    ) -> Resolution:
        from tfenv.resolver.held import held_back

        chosen = {key: choice for key, choice in result.mapping.items() if isinstance(choice, Candidate)}
        python = next(iter(chosen.values())).python
        direct = {requirement.name for requirement in asked}
        pins: dict[Name, Pin] = {}
        needs: dict[tuple[str, str], Need] = {}
        # not of what was only tried: that depends on what was preferred
        subjects = ("the request ", "a constraint ", *(f"{each.name} {each.version} " for each in chosen.values()))
        warnings = {text: None for text in provider.warnings if text.startswith(subjects)}
        for key in sorted(chosen):
            candidate = chosen[key]
            if candidate.extra:
                continue
            metadata = self.catalog.source.metadata(candidate.file)
            parts = [c for c in chosen.values() if c.name == candidate.name]
            wants = [want for part in parts for want in provider.wanted(part)]
            stands_in = metadata.name != candidate.name  # it is not installed: what it requires is
            if stands_in:
                direct |= {metadata.name} if candidate.name in direct else set()
                continue
            asks = tuple(w.requirement for w in wants if is_virtual(w.identifier) and w.identifier != PYTHON)
            for need in asks:
                needs[candidate.name, str(need)] = Need(requirement=need, parent=candidate.name)
            pins[candidate.name] = Pin(
                name=candidate.name,
                version=candidate.version,
                file=candidate.file,
                metadata=metadata,
                extras=frozenset(part.extra for part in parts if part.extra),
                dependencies=tuple(sorted(self._dependencies(candidate, wants, chosen))),
                needs=asks,
            )
            release = f"{candidate.name} {candidate.version}"
            if metadata.dynamic:
                warnings[f"{release} is built from source, and says only while building what it requires"] = None
            elif not candidate.file.is_wheel:
                warnings[f"{release} has no wheel here and is built from source when it is installed"] = None
        pins = {name: _mark(pin) if name in direct else pin for name, pin in pins.items()}
        ordered = tuple(needs[key] for key in sorted(needs))
        back = held_back(self.catalog, provider, chosen, pins, turned_down, self._request.target)
        return Resolution(
            python=python,
            pins=pins,
            needs=ordered,
            held=back,
            notes=tuple(_notes(self._request, pins, back, turned_down)),
            warnings=tuple(warnings),
        )

    def _dependencies(self, candidate: Candidate, wants: Sequence[Want], chosen: Mapping[str, Candidate]) -> set[Name]:
        names = {
            self.catalog.source.metadata(chosen[want.identifier].file).name
            for want in wants
            if not is_virtual(want.identifier)
        }
        return names - {candidate.name}


def _notes(
    request: Goal,
    pins: Mapping[Name, Pin],
    back: Mapping[Name, Held],
    turned_down: Mapping[Name, Mapping[Version, Requirement]],
) -> Iterator[str]:
    """What the machine holds back, and what holds TensorFlow back; what the request says itself needs no note."""
    for name, held in back.items():
        of_tensorflow = name in TENSORFLOWS and request.tensorflow.contains(held.before, prereleases=True)
        if held.because and (of_tensorflow or held.before in turned_down.get(name, {})):
            yield f"{name} held at {pins[name].version}: {held.because}"


def _mark(pin: Pin) -> Pin:
    from dataclasses import replace

    return replace(pin, direct=True)


def _link(want: Want, parent: Choice | None) -> Link:
    if not isinstance(parent, Candidate):  # the request itself, directly or through its Python
        return Link(requirement=want.requirement, python=want.python)
    return Link(
        requirement=want.requirement,
        python=parent.python,
        parent=(parent.name, parent.version),
        file=parent.file,
    )


def _reporter(progress: Progress) -> Reporter:
    from tfenv.resolver import reporter

    return reporter.Reporter(progress, _TASK, TENSORFLOW)
