"""Why nothing of a package fits, in one clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from tfenv.model.package import Release
    from tfenv.model.target import Platform
    from tfenv.resolver.candidate import Want
    from tfenv.resolver.catalog import Catalog
    from tfenv.resolver.provider import Provider


def diagnose(
    catalog: Catalog, provider: Provider, identifier: str, wants: Sequence[Want], pythons: Sequence[Version]
) -> str:
    """Why no file of a project satisfies the wants; empty if some file does, or if they only contradict each other."""
    if next(provider.matches(identifier, wants), None) is not None:
        return ""
    name = Name(identifier.partition("[")[0])
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
    matching = catalog.matching(name, requirements)
    if not matching:
        return f"{name} {_several(r.version for r in allowed)} is a pre-release, which nothing asks for by name"
    bound = {want.python for want in wants if want.python is not None}
    if len(bound) > 1:
        return ""
    return _no_file(matching[0], sorted(bound or pythons, reverse=True), catalog.platform)


def _no_file(release: Release, pythons: Sequence[Version], platform: Platform) -> str:
    """Of the newest release that would do."""
    subject = f"{release.name} {release.version}"
    on = f"{_several(f'{python.major}.{python.minor}' for python in pythons)} on {platform}"
    if release.files and all(file.yanked is not None for file in release.files):
        reason = next((file.yanked for file in release.files if file.yanked), "")
        return f"{subject} was yanked" + (f": {reason}" if reason else "")
    bounds = {str(file.requires_python) for file in release.files if file.requires_python is not None}
    wheels = [file for file in release.files if file.is_wheel]
    excluded = [
        file
        for file in release.files
        if file.requires_python is not None
        and not any(file.requires_python.contains(python, prereleases=True) for python in pythons)
    ]
    if len(excluded) == len(release.files) and bounds:
        here = _several(f"{python.major}.{python.minor}" for python in pythons)
        return f"{subject} wants Python {_several(bounds)}, which {here} is not"
    has = sorted({(tag.interpreter, tag.platform) for file in wheels for tag in file.tags})
    interpreters = sorted({interpreter for interpreter, _ in has}, key=lambda text: (len(text), text))
    platforms = sorted({text for _, text in has})
    there = f" (its wheels are for {_several(interpreters)} on {_several(platforms)})" if has else ""
    return f"{subject} has no wheel for Python {on}{there}"


def _several(words: Iterable[object]) -> str:
    """`a`, `a and b`, `a … z`."""
    texts = [str(word) for word in words]
    if len(texts) > 4:
        return f"{texts[0]} … {texts[-1]}"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
