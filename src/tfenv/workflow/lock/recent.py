"""A recent pair is better than the newest TensorFlow beside an old release of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.model.package import TENSORFLOW, Requirement
from tfenv.resolver.catalog import Catalog, is_exact
from tfenv.resolver.resolve import candidates_of
from tfenv.workflow.lock.settings import tensorflow_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.package import Name, Release
    from tfenv.model.source import Source
    from tfenv.resolver.outcome import Resolution

_LIMITS = (timedelta(days=365), timedelta(days=730))
"""Ages behind the newest release, of which the first that all packages can keep is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Goals under which everything that was asked for is more recent.

    Attributes:
        goals: the strictest first, with lower bounds on TensorFlow and on the packages that lag behind.
        because: reason against the newest TensorFlow, in one clause.
    """

    goals: tuple[Goal, ...]
    because: str


def more_recent(
    goal: Goal, resolution: Resolution, source: Source, pythons: Sequence[Version], preferred: Mapping[Name, Version]
) -> Recent | None:
    """What to try instead of an answer with an old release of a requested package; ``None`` if it has none.

    Only an older TensorFlow can help, so nothing is tried if the request pins TensorFlow. A package that is pinned, or
    at the version of an existing lock, may be old. Releases without upload time have no age.

    Args:
        goal: what was asked for.
        resolution: the answer with the newest TensorFlow.
        source: releases with their upload times.
        pythons: full version of each Python minor that exists.
        preferred: versions that are kept where they still fit.
    """
    if not goal.requirements:
        return None
    tensorflow = tensorflow_of(resolution)
    if tensorflow is None or any(one.operator in ("==", "===", "~=") for one in goal.tensorflow):
        return None
    dates = _Dates(goal, source, candidates_of(goal, pythons))
    lagging: dict[Name, timedelta] = {}
    for name in dict.fromkeys(each.name for each in goal.requirements if not is_exact(each.specifier)):
        pin = resolution.pins.get(name)
        if pin is None or pin.file.upload_time is None or preferred.get(name) == pin.version:
            continue
        newest = dates.newest(name)
        if newest is not None and newest - pin.file.upload_time > _LIMITS[0]:
            lagging[name] = newest - pin.file.upload_time
    limits = [limit for limit in _LIMITS if limit < max(lagging.values(), default=limit)]
    if not limits:
        return None
    said = ", ".join(f"{name} {resolution.pins[name].version} of {_year(resolution, name)}" for name in lagging)
    series = f"{tensorflow.version.major}.{tensorflow.version.minor}"
    return Recent(
        goals=tuple(dates.bounded((*lagging, TENSORFLOW), limit) for limit in limits),
        because=f"with {tensorflow.name} {tensorflow.version} only {said} was found; `--tf {series}` takes that pair",
    )


def _year(resolution: Resolution, name: Name) -> int:
    uploaded = resolution.pins[name].file.upload_time
    assert uploaded is not None
    return uploaded.year


class _Dates:
    """Upload times of the releases that a goal allows and its target can install."""

    def __init__(self, goal: Goal, source: Source, pythons: Sequence[Version]) -> None:
        self._goal = goal
        self._catalog = Catalog(source, goal.target)
        self._pythons = pythons

    def newest(self, name: Name) -> datetime | None:
        """Upload time of the newest release; ``None`` if there is no such release."""
        return next((date for _, date in self._of(name)), None)

    def bounded(self, names: Sequence[Name], limit: timedelta) -> Goal:
        """The goal without releases that are older than the newest one by more than a limit."""
        tensorflow, constraints = self._goal.tensorflow, self._goal.constraints
        for name in names:
            newest = self.newest(name)
            young = [version for version, date in self._of(name) if newest is None or newest - date <= limit]
            floor = SpecifierSet(f">={min(young)}")
            if name == TENSORFLOW:
                tensorflow &= floor
            else:
                constraints += (Requirement(name=name, specifier=floor, source="the age of its releases"),)
        return replace(self._goal, tensorflow=tensorflow, constraints=constraints)

    def _of(self, name: Name) -> Iterator[tuple[Version, datetime]]:
        """Final releases with their upload times, the newest release first."""
        asked = [each for each in (*self._goal.requirements, *self._goal.constraints) if each.name == name]
        if name == TENSORFLOW:
            asked.append(Requirement(name=name, specifier=self._goal.tensorflow))
        for release in self._catalog.releases(name):
            is_wanted = not release.version.is_prerelease and all(each.allows(release.version) for each in asked)
            if is_wanted and (date := self._uploaded(release)) is not None:
                yield release.version, date

    def _uploaded(self, release: Release) -> datetime | None:
        """Upload time of a file that the target can install."""
        for python in self._pythons:
            if (file := self._catalog.file(release, python)) is not None:
                return file.upload_time
        return None
