"""Which files of which releases could be installed on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model import tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from tfenv.model.package import File, Name, Release, Requirement
    from tfenv.model.target import Target
    from tfenv.resolver.protocols import Source


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
        self._allows: dict[tuple[int, Version], bool] = {}
        self._kept: dict[int, Requirement] = {}  # keeps the ids above alive
        self._choices: dict[tuple[Name, Version, Version, bool], tuple[File | None, bool]] = {}
        self.skipped_source = False

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases, newest first."""
        if name not in self._releases:
            self._releases[name] = self.source.releases(name)
        return self._releases[name]

    def knows(self, name: Name) -> bool:
        """Were its releases asked for before?"""
        return name in self._releases

    def allows(self, requirement: Requirement, version: Version) -> bool:
        """Does one requirement allow a version?"""
        key = (id(requirement), version)
        found = self._allows.get(key)
        if found is None:
            found = self._allows[key] = requirement.allows(version)
            self._kept[id(requirement)] = requirement
        return found

    def allowed(self, name: Name, requirement: Requirement) -> frozenset[Version]:
        """All versions that one requirement allows."""
        return frozenset(r.version for r in self.releases(name) if self.allows(requirement, r.version))

    def matching(
        self, name: Name, requirements: Sequence[Requirement], *, preferred: Version | None = None
    ) -> Iterator[Release]:
        """Releases that all requirements allow, newest first, `preferred` before all; worked out one by one.

        Pre-releases are only among them if the request opens the project to them, or if no final release that was not
        yanked matches (PEP 440, "Handling of pre-releases").
        """
        releases = self.releases(name)
        is_open = self.opens_prereleases(name)

        def matches(release: Release) -> bool:
            return all(self.allows(requirement, release.version) for requirement in requirements)

        found = sorted(releases, key=lambda r: r.version != preferred) if preferred is not None else releases
        later = []
        has_final = False
        for release in found:
            if is_open or not release.version.is_prerelease:
                if matches(release):
                    has_final |= not release.is_yanked
                    yield release
            else:
                later.append(release)
        if not has_final:
            yield from filter(matches, later)

    def opens_prereleases(self, name: Name) -> bool:
        """Does the request open a project to pre-releases?"""
        return name in self._prereleases

    def file(self, release: Release, python: Version, *, yanked: bool = False) -> File | None:
        """The file that the target would install; with `yanked` a yanked one if no other fits (PEP 592)."""
        file, skipped = self.choice(release, python, yanked=yanked)
        self.skipped_source |= skipped
        return file

    def choice(self, release: Release, python: Version, *, yanked: bool = False) -> tuple[File | None, bool]:
        """As `file`, without taking note of it; and was a source distribution passed over?"""
        key = (release.name, release.version, python, yanked)
        found = self._choices.get(key)
        if found is None:
            found = self._choices[key] = self._choose(release, python, yanked=yanked)
        return found

    def glibc(self, file: File, python: Version) -> Version | None:
        """The glibc that a file needs on the target; ``None`` if none in particular."""
        if not self._target.platform.is_linux:
            return None
        ranks = tags.ranks(self._target.platform, python)
        return tags.glibc(tag for tag in file.tags if tag in ranks)

    def is_too_new(self, glibc: Version | None) -> bool:
        """Is this glibc newer than that of the target, as far as that is known?"""
        return glibc is not None and self._target.glibc is not None and glibc > self._target.glibc

    def _choose(self, release: Release, python: Version, *, yanked: bool) -> tuple[File | None, bool]:
        found, skipped = self._choose_of([file for file in release.files if file.yanked is None], python)
        if found is None and yanked:
            found, skipped = self._choose_of(release.files, python)
        return found, skipped

    def _choose_of(self, files: Sequence[File], python: Version) -> tuple[File | None, bool]:
        ranks = tags.ranks(self._target.platform, python)
        best: tuple[tuple[bool, int, tuple[int, str]], File] | None = None
        wheels = 0
        sources = []
        for file in files:
            wheels += file.is_wheel
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
            return best[1], False
        if not sources:
            return None, False
        if wheels and not self._build:
            return None, True
        return min(sources, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename)), False


def is_exact(specifier: SpecifierSet) -> bool:
    """Does it name one version? (the condition of PEP 592 for a yanked release)"""
    return any(one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*")) for one in specifier)
