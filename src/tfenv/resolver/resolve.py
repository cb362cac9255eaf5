"""One resolution: a request and a source in, pins out, or a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, Requirement
from tfenv.model.progress import Silent
from tfenv.resolver.attempt import Refuted, Solved, attempt
from tfenv.resolver.candidate import PYTHON, is_virtual
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.diagnose import diagnose
from tfenv.resolver.outcome import Attempt, Conflict, Held, Link, Need, Pin, Resolution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfenv.model.goal import Goal
    from tfenv.model.progress import Progress
    from tfenv.resolver.candidate import Candidate, Want
    from tfenv.resolver.protocols import Source
    from tfenv.resolver.provider import Provider
    from tfenv.resolver.values import Reason

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
    """One request, solved or refuted."""

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
        self.progress.start(_TASK)
        try:
            found = self._search(self._asked, self._pythons, self._preferred)
        finally:
            self.progress.finish(_TASK)
        if isinstance(found, Refuted):
            raise self._conflict(found)
        return self._resolution(found)

    def _search(
        self, asked: Sequence[Requirement], pythons: Sequence[Version], preferred: Mapping[Name, Version]
    ) -> Solved | Refuted:
        return attempt(
            self._request,
            self.catalog,
            asked=asked,
            pythons=pythons,
            preferred=preferred,
            progress=self.progress,
            task=_TASK,
        )

    def _conflict(self, refuted: Refuted) -> Conflict:
        """About the TensorFlow that was tried first: a proof of the whole request is about all of them."""
        if refuted.reasons is None:
            return Conflict((), gaps={}, is_proven=False)
        involved = _links(refuted.provider, refuted.reasons)
        if self._brief:
            return Conflict((), gaps={}, involved=involved)
        about, pythons, reasons = None, self._pythons, refuted.reasons
        if refuted.tried:
            first = refuted.tried[0]
            about = Attempt(name=first.name, version=first.version, python=first.python)
            only = Requirement(name=TENSORFLOW, specifier=SpecifierSet(f"=={first.version}"))
            again = self._search((*self._asked, only), (first.python,), {})
            if isinstance(again, Refuted) and again.reasons is not None:
                reasons, pythons = again.reasons, (first.python,)
                involved = tuple(dict.fromkeys((*_links(again.provider, reasons), *involved)))
        gaps = {}
        wants = [reason.want for reason in reasons if reason.want is not None]
        for subject in dict.fromkeys(want.requirement.name for want in wants):
            if not is_virtual(subject):
                on = [want for want in wants if want.requirement.name == subject]
                if gap := diagnose(self.catalog, refuted.provider, subject, on, pythons):
                    gaps[subject] = gap
        return Conflict(_links(refuted.provider, reasons), gaps=gaps, attempt=about, involved=involved)

    def _resolution(self, solved: Solved) -> Resolution:
        from tfenv.resolver.held import held_back

        provider, chosen, turned_down = solved.provider, solved.chosen, solved.held
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


def _links(provider: Provider, reasons: Sequence[Reason]) -> tuple[Link, ...]:
    """The requirements of a proof, each once."""
    links: dict[Link, None] = {}
    for reason in reasons:
        want, parent = reason.want, reason.parent
        if want is None or provider.is_met_anyhow(want):
            continue
        links[
            Link(
                requirement=want.requirement,
                python=want.python if parent is None else parent.python,
                parent=None if parent is None else (parent.name, parent.version),
                file=None if parent is None else parent.file,
            )
        ] = None
    return tuple(links)
