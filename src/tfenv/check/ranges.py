"""Whether two ranges of versions have a version in common, found without a list of releases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import Specifier, SpecifierSet


@lru_cache(maxsize=4096)
def compatible(given: SpecifierSet, wanted: SpecifierSet) -> bool:
    """Is there a version that both allow? Tried with the versions that they name and those just beside them."""
    both = given & wanted
    return any(both.contains(version, prereleases=True) for version in {*_near(given), *_near(wanted)}) or not str(both)


def _near(specifiers: SpecifierSet) -> Iterator[Version]:
    for one in specifiers:
        yield from _beside(one)


def _beside(one: Specifier) -> Iterator[Version]:
    try:
        version = Version(one.version.removesuffix(".*"))
    except InvalidVersion:
        return
    yield version
    release = version.release
    yield Version(".".join(map(str, (*release[:-1], release[-1] + 1))))
    yield Version(f"{'.'.join(map(str, release))}.0.1")
    # just below, so that `<2` and `>1.2` meet at 1.999…
    for position in range(len(release)):
        if release[position] > 0:
            lower = (*release[:position], release[position] - 1)
            yield Version(".".join(map(str, (*lower, 99999, 99999))))
