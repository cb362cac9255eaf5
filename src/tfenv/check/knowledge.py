"""The facts and the releases by which questions are judged, shared by all questions of one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model import tags
from tfenv.model.package import TENSORFLOW, Name
from tfenv.model.target import Platform
from tfenv.overlay.overlay import CPU, GPU
from tfenv.overlay.present import PresentOverlay
from tfenv.overlay.shipped import Shipped, parsed
from tfenv.resolver.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.check.question import Question
    from tfenv.facts.database import Database
    from tfenv.model.package import File, Release, Requirement
    from tfenv.model.source import Source
    from tfenv.model.target import Target

_PYTHONS = (*(Version(f"3.{minor}.99") for minor in range(15, 3, -1)), Version("2.7.18"))
"""Pythons that some release had wheels for; a high patch release satisfies `>=3.6.1`."""


class Knowledge:
    """The facts and the releases, as all questions about them share them.

    Args:
        database: the facts.
        index: index for what does not come with tfenv; ``None`` to work without one.
        rows: whether the releases that come with tfenv count; without them the index is asked for all.
    """

    def __init__(self, database: Database, index: Source | None = None, *, rows: bool = True) -> None:
        self.database = database
        self.index = index
        self.source = Shipped(database, index, rows=rows)
        self._overlays: dict[tuple[Target, Version | None], PresentOverlay] = {}
        self._brings: dict[Name, frozenset[Name]] = {}

    def overlay(self, target: Target, tensorflow: Version | None = None) -> PresentOverlay:
        """The facts for a machine, laid over what is installed, beside a release of TensorFlow."""
        key = (replace(target, python=None), tensorflow)
        if key not in self._overlays:
            self._overlays[key] = PresentOverlay(self.source, self.database, *key)
        return self._overlays[key]

    def distribution(self, question: Question, version: Version) -> Name:
        """The distribution that brings a release: the one that is named, else what a lock would install."""
        if question.distribution in (TENSORFLOW, GPU, CPU):
            return question.distribution
        if question.accelerated:
            own = self.overlay(question.target).build(TENSORFLOW, version)
            other = self.overlay(question.target).build(GPU, version)
            if (own is None or not own.is_cuda) and other is not None and other.is_cuda:
                return GPU
        return TENSORFLOW

    def pythons(self, name: Name, version: Version, target: Target) -> tuple[Version, ...]:
        """Pythons that a release has a wheel for on a platform, newest first."""
        release = self.release(name, version, target)
        if release is None:
            return ()
        catalog = Catalog(self.overlay(target), target)
        found = [python for python in _PYTHONS if _is_wheel(catalog.file(release, python, yanked=True))]
        return tuple(Version(f"{python.major}.{python.minor}") for python in found)

    def release(self, name: Name, version: Version, target: Target) -> Release | None:
        """One release; of `tensorflow`, with the files of the distribution that has its releases on the platform."""
        if name == TENSORFLOW and target.platform is Platform.MACOS_ARM64:
            releases = self.overlay(target).releases(name)
            return next((one for one in releases if one.version == version), None)
        release = self.source.release(name, version)
        if release is None and version.local is not None:
            return self.source.release(name, Version(version.public))
        return release

    def brought(self, names: Iterable[Name]) -> set[Name]:
        """Projects that come along with some projects, by the metadata of their newest releases."""
        found: set[Name] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            if name not in self._brings:
                rows = self.database.projects.rows(name)
                newest = rows[max(rows)].requires if rows else None
                self._brings[name] = frozenset(one.name for one in parsed(newest or ()))
            waiting += self._brings[name]
        return found

    def declared(self, name: Name, version: Version) -> tuple[Requirement, ...]:
        """What a release requires by its metadata; nothing if that is not known without an index."""
        row = self.database.projects.rows(name).get(version)
        return () if row is None or row.requires is None else parsed(row.requires)

    def needs_a_wheel(self, release: Release, platform: Platform) -> bool:
        """Whether a release has operations of TensorFlow, which nobody builds from source, and none for a platform."""
        if not any(self.database.distributions.of(one.name) for one in self.declared(release.name, release.version)):
            return False
        files = [file for one in (release, *self.source.releases(release.name)) for file in one.files if file.is_wheel]
        return not any(tags.serves(platform, tag.platform) for file in files for tag in file.tags)


def _is_wheel(file: File | None) -> bool:
    return file is not None and file.is_wheel
