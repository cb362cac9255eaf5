"""Public projects that say which TensorFlow they are for: that one lies in the range that their code leaves.

Each file of `projects` holds what the reader extracted (names, keywords, lines), a link and a commit; no code. An
`explained` one says why the release that it names has not all that some file of it calls.
"""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.infer.surroundings import DATABASE, PAIRS, SURFACE, SYMBOLS
from tfenv.infer.answer import answer
from tools import recorded

if TYPE_CHECKING:
    from tfenv.model.inferred import Inferred

FILES = sorted(Path(__file__).with_name("projects").glob("*.toml"))


@cache
def _project(path: Path) -> recorded.Project:
    return recorded.load(path, SURFACE.minors)


@cache
def _answer(path: Path) -> Inferred:
    return answer(_project(path).readings, table=SYMBOLS.api, rules=DATABASE.habits, pairs=PAIRS)


def _minor(pinned: str) -> str:
    """The minor release that is meant; the nearest older one in the table, if it does not hold that one."""
    version = Version(pinned)
    older = [one for one in SURFACE.releases if (one.major, one.minor) <= (version.major, version.minor)]
    return SURFACE.names(1 << SURFACE.releases.index(older[-1] if older else SURFACE.releases[0]))[0]


def _inside(path: Path) -> bool:
    return _minor(_project(path).pinned) in _answer(path).releases


def test_pinned_releases_lie_inside() -> None:
    """All but those that are explained, and few of these; none is explained without need."""
    outside = {path.stem for path in FILES if not _inside(path)}
    explained = {path.stem for path in FILES if _project(path).explained}
    assert len(FILES) >= 31
    assert len(explained) <= 7
    assert outside == explained


def test_ranges_are_narrow() -> None:
    """A range of everything is no answer: half of the projects get less than a third of the releases."""
    widths = [len(_answer(path).releases) / len(SURFACE.minors) for path in FILES if _inside(path)]
    assert statistics.median(widths) <= 0.45
    assert sum(width < 1 for width in widths) >= len(widths) - 1


def test_the_page_has_the_figures() -> None:
    """How many lie inside, and how wide their ranges are."""
    widths = sorted(len(_answer(path).releases) for path in FILES if _inside(path))
    page = " ".join((Path(__file__).parents[2] / "docs" / "infer.md").read_text(encoding="utf-8").split())
    assert f"for {len(widths)} of {len(FILES)} projects, the pinned release is within the inferred range" in page
    assert f"half of these ranges contain {widths[len(widths) // 2]} of {len(SURFACE.minors)} releases or fewer" in page
    assert f"For the other {len(FILES) - len(widths)}," in page


def test_they_are_spread() -> None:
    """From 1.4 to 2.18, and as many of 1.x as of 2.x."""
    pinned = [Version(_project(path).pinned) for path in FILES]
    assert min(pinned) < Version("1.5")
    assert max(pinned) >= Version("2.18")
    assert sum(one < Version("2") for one in pinned) >= 12
    assert sum(one >= Version("2") for one in pinned) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recordings_are_whole(path: Path) -> None:
    """Read and written again they are the same, less masks of releases that the table does not hold."""
    project = _project(path)
    again = recorded.dumps(project, SURFACE.minors)
    assert again.count("\n    ") == path.read_text(encoding="utf-8").count("\n    ")
    assert len(project.commit) == 40
    assert project.link.startswith("https://github.com/")
