"""Why each pin is not newer, as far as one thing by itself forbids it: true whatever else might have been chosen."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from tfenv.model.package import TENSORFLOW, TENSORFLOWS
from tfenv.resolver.candidate import PYTHON, Candidate, is_virtual
from tfenv.resolver.diagnose import no_file
from tfenv.resolver.explain import speaking
from tfenv.resolver.outcome import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.version import Version

    from tfenv.model.package import File, Name, Release, Requirement
    from tfenv.model.target import Target
    from tfenv.resolver.catalog import Catalog
    from tfenv.resolver.outcome import Pin
    from tfenv.resolver.provider import Provider

_Asks = list[tuple[Candidate | None, "Requirement"]]
"""Who asks (``None`` is the request), and what."""


def held_back(
    catalog: Catalog,
    provider: Provider,
    chosen: Mapping[str, Candidate],
    pins: Mapping[Name, Pin],
    turned_down: Mapping[Name, Mapping[Version, Requirement]],
    target: Target,
) -> dict[Name, Held]:
    """The pins of which there are newer releases, with the reason against the first of those.

    Args:
        catalog: that the pins were chosen from.
        provider: that was asked.
        chosen: by identifier.
        pins: by name; those that are installed.
        turned_down: project to version to what it asked of the machine in vain.
        target: the machine.
    """
    asks, brought = _asks(provider, chosen), _Brought(provider, chosen)
    found = {}
    for name, pin in pins.items():
        # what is installed in place of TensorFlow is as new as TensorFlow
        subject = TENSORFLOW if name in TENSORFLOWS and TENSORFLOW in chosen else name
        release = _next(catalog, subject, pin.version)
        if release is not None:
            refused = {**turned_down.get(subject, {}), **turned_down.get(name, {})}
            others = [ask for ask in asks.get(subject, []) if not brought.by(subject, ask[0])]
            reasons = _reasons(catalog, provider, chosen[subject], release, others, refused, target)
            found[name] = Held(before=release.version, because=next(reasons, ""))
    return found


def _next(catalog: Catalog, name: Name, version: Version) -> Release | None:
    """The first newer release that is neither yanked nor, unless the pin is one, a pre-release."""
    newer = takewhile(lambda release: release.version > version, catalog.releases(name))
    for release in reversed(tuple(newer)):
        if release.version.is_prerelease <= version.is_prerelease and any(f.yanked is None for f in release.files):
            return release
    return None


def _asks(provider: Provider, chosen: Mapping[str, Candidate]) -> dict[Name, _Asks]:
    found: dict[Name, _Asks] = {}
    python = next(iter(chosen.values())).python
    for want in (*provider.roots(), *provider.asked(python)):
        found.setdefault(want.requirement.name, []).append((None, want.requirement))
    for candidate in chosen.values():
        for want in provider.wanted(candidate):
            if not is_virtual(want.identifier):
                found.setdefault(want.requirement.name, []).append((candidate, want.requirement))
    return found


def _reasons(
    catalog: Catalog,
    provider: Provider,
    pin: Candidate,
    release: Release,
    asks: _Asks,
    turned_down: Mapping[Version, Requirement],
    target: Target,
) -> Iterator[str]:
    name, version, python = release.name, release.version, pin.python
    # the package that is chosen first decides which Python is taken
    pythons = provider.pythons if name == provider.first else [python]
    python = next((one for one in pythons if catalog.choice(release, one)[0] is not None), python)
    for parent, wanted in asks:
        if version not in catalog.allowed(name, wanted):
            yield _said(parent, wanted)
    for bound in provider.bounds(name, python):
        if version not in catalog.allowed(name, bound):
            yield f"{name} is constrained to {bound.specifier} by {bound.source}"
    file = catalog.file(release, python)
    if file is None:
        yield no_file(release, pythons, catalog.platform)
    elif catalog.is_too_new(glibc := catalog.glibc(file, python)):
        yield f"{name} {version} is built for glibc {glibc} and newer, and the target has {target.glibc}"
    machine = turned_down.get(version)
    if machine is None and name == provider.first and file is not None:
        machine = _unmet(catalog, provider, file, python)
    if machine is not None:
        yield (machine.because or f"{name} {version} asks for {machine}").replace("\n", ", and ")


class _Brought:
    """What is installed only because of something else, which a newer release of that might do without."""

    def __init__(self, provider: Provider, chosen: Mapping[str, Candidate]) -> None:
        self._provider = provider
        self._chosen = chosen
        self._without: dict[Name, set[str]] = {}

    def by(self, name: Name, candidate: Candidate | None) -> bool:
        """Is a candidate the project itself, or installed only because of it?"""
        if candidate is None:
            return False
        if name not in self._without:
            self._without[name] = self._reached(name)
        return candidate.identifier not in self._without[name]

    def _reached(self, name: Name) -> set[str]:
        """All that the request brings without a project."""
        python = next(iter(self._chosen.values())).python
        edge = [want.identifier for want in (*self._provider.roots(), *self._provider.asked(python))]
        found: set[str] = set()
        while edge:
            candidate = self._chosen.get(edge.pop())
            if candidate is None or candidate.name == name or candidate.identifier in found:
                continue
            found.add(candidate.identifier)
            edge += [want.identifier for want in self._provider.wanted(candidate)]
        return found


def _unmet(catalog: Catalog, provider: Provider, file: File, python: Version) -> Requirement | None:
    """What a release asks of the machine and does not get, by itself."""
    for requirement in catalog.source.metadata(file).requires:
        if is_virtual(requirement.name) and requirement.name != PYTHON and provider.is_held(requirement, python, ""):
            answers = provider.answers(requirement.name)
            if answers and not any(provider.meets(answer, requirement) for answer in answers):
                return requirement
    return None


def _said(parent: Candidate | None, wanted: Requirement) -> str:
    """Who asks for what; a reason of its own counts more than the bounds."""
    if parent is None:
        return f"the request asks for {wanted.name}{wanted.specifier}"
    release = f"{parent.name} {parent.version}"
    if not wanted.because:
        return f"{release} requires {wanted.name}{wanted.specifier}"
    return speaking(wanted.because.replace("\n", ", and "), release)
