"""One resolution: a request and a source in, pins out, or a conflict."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, Requirement
from tfenv.model.progress import Silent
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.diagnose import diagnose
from tfenv.resolver.learning import MAX_ROUNDS, LearningResolver
from tfenv.resolver.outcome import Attempt, Conflict, Held, Link, Need, Pin, Resolution
from tfenv.resolver.provider import Provider
from tfenv.resolver.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from resolvelib import Resolver
    from resolvelib.resolvers import RequirementInformation, Result

    from tfenv.model.goal import Goal
    from tfenv.model.progress import Progress
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.protocols import Source
    from tfenv.resolver.provider import Choice

    _Cause = RequirementInformation[Want, Choice]

_TASK = "resolving"


def resolve(
    request: Goal,
    source: Source,
    *,
    pythons: Sequence[Version],
    preferred: Mapping[Name, Version] | None = None,
    progress: Progress | None = None,
    brief: bool = False,
    resolver: type[Resolver[Want, Choice, str]] = LearningResolver,
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
        progress: receives every pin.
        brief: a conflict need not say what it is about, only that there is one.
        resolver: that searches; `resolvelib.Resolver` answers the same questions, with its faults.

    Raises:
        Conflict: there is no solution; `smallest` finds out why, `explain` says it.
        IndexUnavailable: the source could not be asked.
    """
    run = partial(
        _Run,
        request,
        source,
        pythons=pythons,
        preferred=preferred or {},
        progress=progress or Silent(),
        brief=brief,
        resolver=resolver,
    )
    first = run(build=False)
    try:
        return first.attempt()
    except Conflict:
        if not first.catalog.skipped_source:
            raise
    return run(build=True).attempt()


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
    """One request, solved or refuted."""

    def __init__(
        self,
        request: Goal,
        source: Source,
        *,
        pythons: Sequence[Version],
        preferred: Mapping[Name, Version],
        progress: Progress,
        brief: bool,
        build: bool,
        resolver: type[Resolver[Want, Choice, str]],
    ) -> None:
        self._resolver = resolver
        self._brief = brief
        self._request = request
        self._pythons = candidates_of(request, pythons)
        self._preferred = preferred
        self.progress = progress
        self._asked = (Requirement(name=TENSORFLOW, specifier=request.tensorflow), *request.requirements)
        opened = {each.name for each in (*self._asked, *request.constraints) if each.specifier.prereleases}
        if request.prereleases:
            opened.update(TENSORFLOWS)
        self.catalog = Catalog(source, request.target, prereleases=opened, build=build)

    def attempt(self) -> Resolution:
        """One solution.

        Raises:
            Conflict: there is none, or (then it is not `proven`) none was found.
        """
        provider, reporter = self._provider(self._asked, self._pythons, self._preferred), self._reporter()
        self.progress.start(_TASK)
        try:
            result = self._resolver(provider, reporter).resolve(provider.roots(), max_rounds=MAX_ROUNDS)
        except ResolutionImpossible as impossible:
            raise self._conflict(provider, impossible.causes, reporter.tried) from None
        except ResolutionTooDeep:
            raise Conflict((), gaps={}, is_proven=False) from None
        finally:
            self.progress.finish(_TASK)
        return self._resolution(provider, result, reporter)

    def _provider(
        self, asked: Sequence[Requirement], pythons: Sequence[Version], preferred: Mapping[Name, Version]
    ) -> Provider:
        return Provider(
            self._request, self.catalog, asked=asked, pythons=pythons, preferred=preferred, first=TENSORFLOW
        )

    def _reporter(self) -> Reporter:
        return Reporter(self.progress, _TASK, TENSORFLOW)

    def _conflict(self, provider: Provider, causes: Collection[_Cause], tried: Sequence[Candidate]) -> Conflict:
        """About the TensorFlow that was tried first: a proof of the whole request is about all of them."""
        involved = _links(provider, causes)
        if self._brief:
            return Conflict((), gaps={}, involved=involved)
        about, pythons = None, self._pythons
        if tried:
            first = tried[0]
            about = Attempt(name=first.name, version=first.version, python=first.python)
            only = Requirement(name=TENSORFLOW, specifier=SpecifierSet(f"=={first.version}"))
            again = self._provider((*self._asked, only), (first.python,), {})
            try:
                self._resolver(again, self._reporter()).resolve(again.roots(), max_rounds=MAX_ROUNDS)
            except ResolutionImpossible as impossible:
                causes, pythons = impossible.causes, (first.python,)
                involved = tuple(dict.fromkeys((*_links(again, causes), *involved)))
            except ResolutionTooDeep:
                pass
        gaps = {}
        wants = [cause.requirement for cause in causes]
        for subject in dict.fromkeys(want.requirement.name for want in wants):
            if not is_virtual(subject):
                on = [want for want in wants if want.requirement.name == subject]
                if gap := diagnose(self.catalog, provider, subject, on, pythons):
                    gaps[subject] = gap
        return Conflict(_links(provider, causes), gaps=gaps, attempt=about, involved=involved)

    def _resolution(self, provider: Provider, result: Result[Want, Choice, str], reporter: Reporter) -> Resolution:
        from tfenv.resolver.held import held_back

        chosen = {key: choice for key, choice in result.mapping.items() if isinstance(choice, Candidate)}
        turned_down = {
            name: {**reporter.held.get(name, {}), **provider.held.get(name, {})}
            for name in (*reporter.held, *provider.held)
        }
        python = next(iter(chosen.values())).python
        direct = {requirement.name for requirement in self._asked}
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


def _links(provider: Provider, causes: Iterable[_Cause]) -> tuple[Link, ...]:
    """The requirements of a conflict, each once."""
    links: dict[Link, None] = {}
    for want, parent in causes:
        if provider.is_met_anyhow(want):
            continue
        by = parent if isinstance(parent, Candidate) else None  # Python requires what the request asks for
        links[
            Link(
                requirement=want.requirement,
                python=want.python if by is None else by.python,
                parent=None if by is None else (by.name, by.version),
                file=None if by is None else by.file,
            )
        ] = None
    return tuple(links)
