"""A search for one value of each package that learns from every conflict and proves that there is no solution.

The algorithm is PubGrub (Natalie Weizenbaum, "PubGrub: Next-Generation Version Solving", 2018; pubgrub.org), on finite
sets: the values of a package are the bits of an integer, and one more bit, `ABSENT`, says that the package is not part
of the solution. It knows nothing of versions, files or machines: a `World` answers for those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ABSENT = 1
"""The bit of a package that is not part of the solution; bits of values follow it."""


@dataclass(slots=True, eq=False)
class Nogood:
    """Values that cannot be chosen together.

    Attributes:
        terms: package to a set of its values; not all of them may hold at once.
        reason: object of the world that states it; ``None`` if it was derived.
        parents: the two nogoods that it was derived from.
        is_widened: whether the world was asked for a more general form already.
    """

    terms: dict[str, int]
    reason: object | None = None
    parents: tuple[Nogood, ...] = ()
    is_widened: bool = False

    def reasons(self) -> Iterator[object]:
        """What the world states, as far as this follows from it: the leaves of its proof, each once."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            nogood = waiting.pop()
            if id(nogood) in seen:
                continue
            seen.add(id(nogood))
            if nogood.reason is not None:
                yield nogood.reason
            waiting.extend(reversed(nogood.parents))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next.

    Attributes:
        nogoods: those that became known.
        package: the package to choose a value for; ``None`` if the nogoods must be looked at first.
        value: the bit to choose.
    """

    nogoods: tuple[Nogood, ...] = ()
    package: str | None = None
    value: int = 0


class World(Protocol):
    """What can be chosen."""

    def everything(self, package: str) -> int:
        """All values of a package; `ABSENT` among them unless every solution has the package."""
        ...

    def step(self, search: Search) -> Step | None:
        """The next choice; ``None`` if nothing is left to choose."""
        ...

    def widen(self, nogood: Nogood) -> None:
        """Make the terms of a stated nogood as general as the reason allows; asked once, when it is in a conflict."""
        ...


class Unsolvable(Exception):
    """There is no solution.

    Attributes:
        proof: nogood without terms, with everything that it follows from.
    """

    def __init__(self, proof: Nogood) -> None:
        super().__init__("there is no solution")
        self.proof = proof


class GaveUp(Exception):
    """The search met too many conflicts; whether there is a solution is not known."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    package: str
    before: int
    after: int
    cause: Nogood | None  # `None` for a choice
    level: int


@dataclass(slots=True)
class Search:
    """One search.

    Attributes:
        world: that answers.
        most: conflicts after which the search gives up.
        domains: package to the values that are left of it.
        chosen: package to the value that was chosen, in the order of the choices.
        clashes: package to the number of conflicts that it took part in.
        conflicts: number of conflicts so far.
    """

    world: World
    most: int
    domains: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    clashes: dict[str, int] = field(default_factory=dict)
    conflicts: int = 0
    _trail: list[_Assignment] = field(default_factory=list)
    _history: dict[str, list[int]] = field(default_factory=dict)  # package to positions in the trail
    _nogoods: dict[str, list[Nogood]] = field(default_factory=dict)  # by each of their packages

    def run(self, given: Iterable[Nogood]) -> Mapping[str, int]:
        """Package to value.

        Args:
            given: what holds from the start.

        Raises:
            Unsolvable: no values satisfy all nogoods; carries the proof.
            GaveUp: too many conflicts.
        """
        self._learn(given)
        while (step := self.world.step(self)) is not None:
            conflicts = self.conflicts
            self._learn(step.nogoods)
            if step.package is None or self.conflicts > conflicts:
                continue
            if self.domains[step.package] & step.value:
                self.chosen[step.package] = step.value
                self._assign(step.package, step.value, None, len(self.chosen))
                self._settle([], {step.package: None})
        return self.chosen

    def _learn(self, nogoods: Iterable[Nogood]) -> None:
        fresh = [nogood for nogood in nogoods if self._add(nogood)]
        self._settle(fresh, {})

    def _add(self, nogood: Nogood) -> bool:
        """Remember a nogood; ``False`` if it can never hold."""
        for package, values in tuple(nogood.terms.items()):
            if package not in self.domains:
                self.domains[package] = self.world.everything(package)
            if values == self.world.everything(package):
                del nogood.terms[package]
            elif not values:
                return False
        for package in nogood.terms:
            self._nogoods.setdefault(package, []).append(nogood)
        return True

    def _settle(self, fresh: list[Nogood], changed: dict[str, None]) -> None:
        """Draw all conclusions; where they contradict each other, learn why, go back, and go on."""
        while (conflict := self._propagate(fresh, changed)) is not None:
            self.conflicts += 1
            if self.conflicts > self.most:
                raise GaveUp
            for package in conflict.terms:
                self.clashes[package] = self.clashes.get(package, 0) + 1
            learned, level = self._analyse(conflict)
            changed = self._go_back(level)
            fresh = [learned] if self._add(learned) else []

    def _propagate(self, fresh: Iterable[Nogood], changed: dict[str, None]) -> Nogood | None:
        """Draw conclusions from nogoods of which all terms but one hold; the nogood whose terms all hold, if any."""
        for nogood in fresh:
            if self._conclude(nogood, changed):
                return nogood
        while changed:
            package, _ = changed.popitem()
            for nogood in reversed(self._nogoods.get(package, ())):
                if self._conclude(nogood, changed):
                    return nogood
        return None

    def _conclude(self, nogood: Nogood, changed: dict[str, None]) -> bool:
        """Do all terms hold? If all but one do, that one is ruled out."""
        left = None
        for package, values in nogood.terms.items():
            domain = self.domains[package]
            if domain & ~values:
                if left is not None or not domain & values:
                    return False
                left = package
        if left is None:
            return True
        level = len(self.chosen)
        self._assign(left, self.domains[left] & ~nogood.terms[left], nogood, level)
        changed[left] = None
        return False

    def _assign(self, package: str, values: int, cause: Nogood | None, level: int) -> None:
        self._history.setdefault(package, []).append(len(self._trail))
        self._trail.append(_Assignment(package, self.domains[package], values, cause, level))
        self.domains[package] = values

    def _analyse(self, conflict: Nogood) -> tuple[Nogood, int]:
        """A nogood that would have prevented the conflict, and the level to which it allows to go back.

        Raises:
            Unsolvable: the conflict does not depend on any choice.
        """
        nogood = conflict
        while True:
            self._widen(nogood)
            if not nogood.terms:
                raise Unsolvable(nogood)
            positions = {package: self._since(package, values) for package, values in nogood.terms.items()}
            package = max(positions, key=positions.__getitem__)
            last = self._trail[positions.pop(package)]
            level = max((self._trail[position].level for position in positions.values()), default=0)
            if last.cause is None:
                return nogood, level
            self._widen(last.cause)
            if package not in last.cause.terms:  # more general, it is a conflict by itself
                nogood = last.cause
                continue
            both = nogood.terms[package] | last.cause.terms[package]
            is_dropped = both == self.world.everything(package)
            if not is_dropped:
                level = max(level, self._trail[self._since(package, both)].level)
            if level < last.level:
                return nogood, level
            terms = dict(nogood.terms)
            for other, values in last.cause.terms.items():
                terms[other] = terms.get(other, self.world.everything(other)) & values
            del terms[package]
            if not is_dropped:
                terms[package] = both
            nogood = Nogood(terms, parents=(nogood, last.cause), is_widened=True)

    def _widen(self, nogood: Nogood) -> None:
        if not nogood.is_widened:
            nogood.is_widened = True
            self.world.widen(nogood)
            for package in [p for p, values in nogood.terms.items() if values == self.world.everything(p)]:
                del nogood.terms[package]

    def _since(self, package: str, values: int) -> int:
        """Position of the assignment from which on only these values were left."""
        for position in self._history[package]:
            if not self._trail[position].after & ~values:
                return position
        raise AssertionError(f"{package} has other values left")

    def _go_back(self, level: int) -> dict[str, None]:
        """Undo all assignments above a level; the packages that they were about."""
        undone: dict[str, None] = {}
        while self._trail and self._trail[-1].level > level:
            last = self._trail.pop()
            self._history[last.package].pop()
            self.domains[last.package] = last.before
            undone[last.package] = None
        while len(self.chosen) > level:
            self.chosen.popitem()
        return undone
