"""What the cases do not show: Pythons that a request leaves open, searches that are lost, what is asked ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.memory import MemorySource
from tfenv.model.goal import Goal
from tfenv.model.package import Name
from tfenv.model.progress import Silent
from tfenv.model.target import Target
from tfenv.resolver import EXPLAINING, Conflict, explain, resolve, smallest
from tfenv.resolver.ahead import Ahead
from tfenv.resolver.catalog import Catalog
from tfenv.resolver.resolve import candidates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.model.package import File

PYTHONS = tuple(map(Version, ("3.12.12", "3.13.9")))


def test_pythons_left_open() -> None:
    """All, newest first; of a minor its newest patch release, known or not; or exactly what was asked for."""

    def left(python: str | None) -> list[str]:
        target = Target(python=None if python is None else Version(python))
        return [str(each) for each in candidates_of(Goal(target=target), PYTHONS)]

    assert left(None) == ["3.13.9", "3.12.12"]
    assert left("3.12") == ["3.12.12"]
    assert left("3.12.1") == ["3.12.1"]
    assert left("3.15") == ["3.15.0"]


def test_lost_search() -> None:
    """A search that was given up says so, that there may be a solution, and is not narrowed to a smaller conflict."""
    conflict = Conflict((), gaps={}, is_proven=False)
    assert explain(conflict, Goal()).message == "no solution was found in reasonable time; there may be none"
    assert smallest(conflict, Goal(), lambda _: MemorySource([]), pythons=PYTHONS) is conflict


def test_explaining_shows_progress() -> None:
    """Every combination that is tried on the way to the smallest conflict is a step of one task."""
    steps: list[str] = []

    class Steps(Silent):
        def advance(self, task: str, amount: int = 1) -> None:
            steps.append(task)

    source = MemorySource([{"file": "tensorflow-2.21.0-py3-none-any.whl", "requires": ["absent"]}])
    with pytest.raises(Conflict) as caught:
        resolve(Goal(), source, pythons=PYTHONS)
    smallest(caught.value, Goal(), lambda _: source, pythons=PYTHONS, progress=Steps())
    assert set(steps) == {EXPLAINING}


def test_the_index_hears_ahead_of_what_will_be_asked() -> None:
    """Pages of all requirements, and the metadata of the likely file of each, are announced before they are read."""
    source = MemorySource(
        [
            {"file": "tensorflow-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl", "requires": ["a", "b"]},
            {"file": "a-2.0-py3-none-any.whl", "requires": ["b<2"]},
            {"file": "b-2.0-py3-none-any.whl"},
            {"file": "b-1.0-py3-none-any.whl"},
        ]
    )
    resolve(Goal(), source, pythons=PYTHONS)
    heard = [one if isinstance(one, str) else one.filename for one in source.expected]
    for name in ("tensorflow", "a", "b", *source.read):
        assert name in heard
    assert heard.index("b") < heard.index("a-2.0-py3-none-any.whl")


def test_a_page_that_comes_after_the_search_has_begun_anew() -> None:
    """What was certain with the release before is not any more when the answer is there."""
    late: list[Callable[[], None]] = []

    class Late(MemorySource):
        def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
            super().expect(wanted)
            if then is not None:
                late.append(then)

    source = Late(
        [
            {"file": "tensorflow-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl", "requires": ["a", "b<2"]},
            {"file": "tensorflow-2.20.0-cp313-cp313-manylinux_2_27_x86_64.whl", "requires": ["a"]},
            {"file": "a-1.0-py3-none-any.whl", "requires": ["b"]},
            {"file": "b-1.0-py3-none-any.whl"},
        ]
    )
    python, first = PYTHONS[1], Name("tensorflow")
    ahead = Ahead(Catalog(source, Target()), first=first, preferred={}, holds=lambda *_: True)
    newest, older = (release.files[0] for release in source.releases(first))
    ahead.begin(newest, python)
    ahead.take(first, newest, python)
    for _ in range(3):  # the metadata of TensorFlow, the page and the metadata of a; the page of b is on its way
        late.pop(0)()
        late.sort(key=lambda then: "'b'" in repr(then))
    ahead.begin(older, python)
    while late:
        late.pop(0)()
    assert source.read == [newest.filename, "a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"]


def test_only_what_is_needed_is_read() -> None:
    """Releases that Python or a specifier rules out cost no metadata."""
    source = MemorySource(
        [
            {"file": "tensorflow-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl", "requires": ["a<2"]},
            {"file": "tensorflow-2.20.0-cp313-cp313-manylinux_2_27_x86_64.whl"},
            {"file": "a-2.0-py3-none-any.whl"},
            {"file": "a-1.0-cp312-cp312-manylinux_2_27_x86_64.whl"},
            {"file": "a-0.9-py3-none-any.whl"},
        ]
    )
    resolve(Goal(), source, pythons=PYTHONS)
    assert set(source.read) == {
        "tensorflow-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl",
        "a-0.9-py3-none-any.whl",
    }
