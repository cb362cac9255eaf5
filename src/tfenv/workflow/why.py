"""`tfenv why`: why a package is in a lock, and why it is not newer; only the lock is read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.model.package import normalize
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.lock import HeldBack, Lock, LockedPackage
    from tfenv.model.package import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A locked package among the others.

    Attributes:
        package: the locked package.
        chains: from a package that the request names to this one, the shortest for each package that requires it,
            shortest first; one of a single package where the request names it.
        held: why it is not newer; ``None`` if there was nothing newer.
    """

    package: LockedPackage
    chains: tuple[tuple[LockedPackage, ...], ...]
    held: HeldBack | None


def why(name: str, lock: Lock | Path | str = "pylock.toml") -> Why:
    """Why a package is in a lock, and why it is not newer. Only the lock is read.

    Example:
        >>> tfenv.why("numpy", "pylock.toml").chains[0][0].name
        'tensorflow-cpu'

    Args:
        name: name of the package, in any spelling.
        lock: a lock, or the file that holds it.

    Raises:
        UsageError: the file is not a lock of tfenv, or the lock does not hold the package.
    """
    lock, wanted = read_lock(lock), normalize(name)
    package = lock.package(wanted)
    if package is None:
        near = difflib.get_close_matches(wanted, [each.name for each in lock.packages], n=3)
        named = " or ".join(f"`{each}`" for each in near)
        raise UsageError(f"`{wanted}` is not in the lock", hint=f"is it {named}?" if near else None)
    return Why(
        package=package,
        chains=tuple(_chains(lock, wanted)),
        held=next((each for each in lock.held if each.name == wanted), None),
    )


def _chains(lock: Lock, name: Name) -> list[tuple[LockedPackage, ...]]:
    packages = {package.name: package for package in lock.packages}
    ways: dict[Name, tuple[Name, ...]] = {each.name: (each.name,) for each in lock.packages if each.direct}
    edge = list(ways)
    for reached in edge:  # breadth first, so the first way is a shortest one
        for next_ in packages[reached].dependencies:
            if next_ not in ways and next_ in packages:
                ways[next_] = (*ways[reached], next_)
                edge.append(next_)
    parents = [each for each in lock.packages if name in each.dependencies and each.name in ways]
    found = [(*ways[parent.name], name) for parent in parents if name not in ways[parent.name]]
    found += [(name,)] if packages[name].direct else []
    return [tuple(packages[each] for each in chain) for chain in sorted(found, key=lambda chain: (len(chain), chain))]
