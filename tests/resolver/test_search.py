"""The search by itself: packages are letters, values are bits."""

from __future__ import annotations

from itertools import combinations

import pytest

from tfenv.resolver.search import ABSENT, GaveUp, Nogood, Search, Step, Unsolvable


class Letters:
    """A world in which every package has some values, chosen from the lowest bit on."""

    def __init__(self, count: int) -> None:
        self._all = (2 << count) - 1

    def everything(self, package: str) -> int:
        """As many values for each package."""
        return self._all

    def widen(self, nogood: Nogood) -> None:
        """Nothing is more general than it was stated."""

    def step(self, search: Search) -> Step | None:
        """The first package that is required and not chosen."""
        for package, domain in search.domains.items():
            if not domain & ABSENT and package not in search.chosen:
                return Step(package=package, value=domain & -domain)
        return None


def required(package: str) -> Nogood:
    return Nogood({package: ABSENT}, reason=f"{package} is required")


def apart(first: str, second: str, value: int) -> Nogood:
    return Nogood({first: value, second: value}, reason=f"{first} and {second} are not both {value}")


def pigeons(count: int, holes: int) -> list[Nogood]:
    """So many packages, of which no two may have the same of so many values."""
    names = [f"p{number}" for number in range(count)]
    clashes = [apart(*pair, 2 << hole) for pair in combinations(names, 2) for hole in range(holes)]
    return [*map(required, names), *clashes]


def test_solution() -> None:
    """Every nogood holds of what is chosen."""
    found = Search(Letters(4), 1_000).run(pigeons(4, 4))
    assert sorted(found.values()) == [2, 4, 8, 16]


def test_proof() -> None:
    """Where there is no solution, the leaves of the proof contradict each other, and nothing else is among them."""
    other = [required("far"), Nogood({"far": 2, "off": ABSENT}, reason="unrelated")]
    with pytest.raises(Unsolvable) as caught:
        Search(Letters(3), 1_000).run([*other, *pigeons(4, 3)])
    assert caught.value.proof.terms == {}
    leaves = set(caught.value.proof.reasons())
    stated = {nogood.reason: nogood for nogood in pigeons(4, 3)}
    assert leaves <= set(stated)
    with pytest.raises(Unsolvable):
        Search(Letters(3), 1_000).run([stated[leaf] for leaf in stated if leaf in leaves])


def test_given_up() -> None:
    """A search that meets too many conflicts ends, and claims nothing."""
    with pytest.raises(GaveUp):
        Search(Letters(6), 5).run(pigeons(7, 6))
