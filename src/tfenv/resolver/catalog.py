"""Which files of which releases could be installed on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts import environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from tfenv.model.package import File, Name, Release, Requirement
    from tfenv.model.target import Target
    from tfenv.resolver.source import Source


class Catalog:
    """Answers from a source, filtered for one target; every answer is worked out once.

    A source distribution stands in for a release that has no wheel at all. A release that has wheels, but none for
    the target, is passed over: its source would need a compiler. With `build` that is allowed too.
    """

    def __init__(
        self, source: Source, target: Target, *, prereleases: Iterable[Name] = (), build: bool = False
    ) -> None:
        self.source = source
        self._target = target
        self.platform = target.platform
        self._prereleases = frozenset(prereleases)
        self._build = build
        self._releases: dict[Name, tuple[Release, ...]] = {}
        self._allowed: dict[tuple[Name, int], frozenset[Version]] = {}
        self._kept: list[Requirement] = []  # keeps the ids above alive
        self._choices: dict[tuple[Name, Version, Version, bool], File | None] = {}
        self._final: dict[Name, bool] = {}
        self.skipped_source = False

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases, newest first."""
        if name not in self._releases:
            self._releases[name] = self.source.releases(name)
        return self._releases[name]

    def allowed(self, name: Name, requirement: Requirement) -> frozenset[Version]:
        """Versions that one requirement allows."""
        key = (name, id(requirement))
        found = self._allowed.get(key)
        if found is None:
            found = frozenset(r.version for r in self.releases(name) if requirement.allows(r.version))
            self._allowed[key] = found
            self._kept.append(requirement)
        return found

    def matching(self, name: Name, requirements: Iterable[Requirement]) -> list[Release]:
        """Releases that all requirements allow, newest first.

        A pre-release is only among them if a specifier names one, if the request says so, or if the project has
        nothing else (PEP 440, "Handling of pre-releases").
        """
        releases: list[Release] = list(self.releases(name))
        prereleases = name in self._prereleases
        for requirement in requirements:
            allowed = self.allowed(name, requirement)
            releases = [release for release in releases if release.version in allowed]
            prereleases = prereleases or bool(requirement.specifier.prereleases)
        if not prereleases and self._has_final(name):
            releases = [release for release in releases if not release.version.is_prerelease]
        return releases

    def _has_final(self, name: Name) -> bool:
        if name not in self._final:
            self._final[name] = any(not release.version.is_prerelease for release in self.releases(name))
        return self._final[name]

    def file(self, release: Release, python: Version, *, yanked: bool = False) -> File | None:
        """The file that the target would install; yanked files only where a release is pinned exactly (PEP 592)."""
        key = (release.name, release.version, python, yanked)
        if key not in self._choices:
            self._choices[key] = self._choose(release, python, yanked=yanked)
        return self._choices[key]

    def glibc(self, file: File, python: Version) -> Version | None:
        """The glibc that a file needs on the target; ``None`` if none in particular."""
        if not self._target.platform.is_linux:
            return None
        ranks = environment.ranks(self._target.platform, python)
        return environment.glibc(tag for tag in file.tags if tag in ranks)

    def is_too_new(self, glibc: Version | None) -> bool:
        """Is this glibc newer than that of the target, as far as that is told?"""
        return glibc is not None and self._target.glibc is not None and glibc > self._target.glibc

    def _choose(self, release: Release, python: Version, *, yanked: bool) -> File | None:
        ranks = environment.ranks(self._target.platform, python)
        best: tuple[tuple[bool, int, tuple[int, str]], File] | None = None
        wheels = 0
        sources = []
        for file in release.files:
            wheels += file.is_wheel
            if file.yanked is not None and not yanked:
                continue
            if file.requires_python is not None and not file.requires_python.contains(python, prereleases=True):
                continue
            if not file.is_wheel:
                sources.append(file)
                continue
            fits = [ranks[tag] for tag in file.tags if tag in ranks]
            if not fits:
                continue
            needed = self.glibc(file, python)
            too_new = self.is_too_new(needed)
            number, text = file.build or (-1, "")
            key = (not too_new, -min(fits), (number, text))
            if best is None or key > best[0]:
                best = (key, file)
        if best is not None:
            return best[1]
        if not sources:
            return None
        if wheels and not self._build:
            self.skipped_source = True
            return None
        return min(sources, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename))
