"""Why nothing of a package fits, in one clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model import tags
from tfenv.resolver.candidate import is_lockable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from tfenv.model.package import Name, Release
    from tfenv.model.target import Platform
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.catalog import Catalog
    from tfenv.resolver.provider import Provider


def diagnose(
    catalog: Catalog, provider: Provider, name: Name, wants: Sequence[Want], pythons: Sequence[Version]
) -> str:
    """Why no file of a project satisfies the wants; empty if some file does, or if they only contradict each other."""
    releases = catalog.releases(name)
    if not releases:
        return f"no index knows a project `{name}`"
    requirements = [want.requirement for want in wants]
    allowed = [r for r in releases if all(r.version in catalog.allowed(name, each) for each in requirements)]
    if not allowed:
        for each in requirements:
            if not catalog.allowed(name, each):
                stable = [r.version for r in releases if not r.version.is_prerelease]
                newest = max(stable or [r.version for r in releases])
                return f"{name} has no release {each.specifier}; its newest is {newest}"
        return ""
    matching = list(catalog.matching(name, requirements))
    bound = {want.python for want in wants if want.python is not None}
    if len(bound) > 1:
        return ""
    tried = sorted(bound or pythons)
    reasons: list[str] = []
    for release in matching:
        for python in tried:
            if (file := catalog.file(release, python)) is None:
                continue
            bounds = provider.bounds(name, python)
            outside = [each for each in bounds if release.version not in catalog.allowed(name, each)]
            if name != provider.first and catalog.is_too_new(glibc := catalog.glibc(file, python)):
                reasons.append(f"{name} {release.version} is built for glibc {glibc} and newer")
            elif not is_lockable(file):
                reasons.append(f"{name} {release.version} has only `{file.filename}`, a name that installers refuse")
            elif outside:
                words = [f"{each.specifier}   [{each.source}]" for each in outside]
                reasons.append(f"{name} is constrained to {_several(words)}")
            else:
                return ""
    return reasons[0] if reasons else no_file(matching[0], tried, catalog.platform)


def has(release: Release, platform: Platform) -> str:
    """For which Pythons a release has wheels; empty if it is not a matter of that."""
    here = [
        tag.interpreter
        for file in release.files
        for tag in file.tags
        if tags.serves(platform, tag.platform) and tag.interpreter.startswith("cp")
    ]
    return (
        f"{release.name} {release.version} has wheels for {platform} and {_python_tags(set(here))} only" if here else ""
    )


def no_file(release: Release, pythons: Sequence[Version], platform: Platform) -> str:
    """Of the newest release that would do."""
    subject = f"{release.name} {release.version}"
    minors = _several(f"{python.major}.{python.minor}" for python in pythons)
    if all(file.yanked is not None for file in release.files):
        reason = next((file.yanked for file in release.files if file.yanked), "")
        return f"{subject} was yanked{f' ({reason})' if reason else ''} and nothing asks for exactly it"
    bounds = {str(file.requires_python): file.requires_python for file in release.files}
    if not any(b is None or b.contains(p, prereleases=True) for b in bounds.values() for p in pythons):
        return f"{subject} wants Python {_several(sorted(bounds))}, which {minors} is not"
    wheels = [file for file in release.files if file.is_wheel]
    here = [file for file in wheels if any(tags.serves(platform, tag.platform) for tag in file.tags)]
    if here:
        has = {tag.interpreter for file in here for tag in file.tags}
        return f"{subject} has wheels for {platform} and {_python_tags(has)} only, not for Python {minors}"
    if wheels:
        has = {tag.platform for file in wheels for tag in file.tags}
        return f"{subject} has no wheel for {platform}, only for {_several(sorted(has))}"
    return f"{subject} has no file that could be installed on {platform} with Python {minors}"


def _python_tags(tags: Iterable[str]) -> str:
    """`cp39 … cp313`, in the order of the versions."""
    ordered: list[str] = sorted(tags, key=lambda tag: (len(tag), tag))
    return _several(ordered)


def _several(words: Iterable[object]) -> str:
    """`a`, `a and b`, `a … z`."""
    texts = [str(word) for word in words]
    if len(texts) > 4:
        return f"{texts[0]} … {texts[-1]}"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
