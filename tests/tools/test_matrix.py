"""Releases on Pythons: the cells, what the ledger says of them, and a part of them tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.model.package import TENSORFLOW
from tools import ledger
from tools.matrix import trial
from tools.matrix.cells import EARLY, Cell, cells, distribution, pick, pythons

DATABASE = load()
CELLS = cells(DATABASE)
README = Path(__file__).parents[2] / "README.md"
RECORDED = [one for one in ledger.load() if one.package is None]


def test_cells_of_a_minor() -> None:
    """The newest patch is tried on every Python, the first release on its newest, and nothing in between."""
    found = [(str(cell.release), str(cell.python)) for cell in pick(CELLS, ["2.12"])]
    assert found == [("2.12.0", "3.11"), *(("2.12.1", python) for python in ("3.8", "3.9", "3.10", "3.11"))]


def test_cells_before_1_13() -> None:
    """Three releases stand for the oldest ones, on the oldest Python."""
    old = [cell for cell in CELLS if cell.release < Version("1.13")]
    assert [cell.python for cell in old] == [Version("3.6")] * len(EARLY)


def test_every_minor_has_cells() -> None:
    """No minor release since 1.13 is left out, and each is tried on its newest Python."""
    stable = [version for version in DATABASE.releases.versions(TENSORFLOW) if not version.is_prerelease]
    for version in (each for each in stable if each >= Version("1.13")):
        here = [cell for cell in CELLS if cell.release.release[:2] == version.release[:2]]
        assert here, version
        assert max(cell.python for cell in here) == max(pythons(DATABASE, here[-1].release)), version


@pytest.mark.parametrize(
    ("wanted", "count"), [("2.17.1@3.11", 1), ("2.17@3.11", 1), ("2.17.1", 4), ("2.17", 5), ("0.1", 0)]
)
def test_cells_are_picked_by_name(wanted: str, count: int) -> None:
    """A minor, a release, and either on one Python."""
    assert len(list(pick(CELLS, [wanted]))) == count


def test_the_smaller_wheel_is_tried() -> None:
    """`tensorflow-cpu` where there is one for that Python."""
    assert distribution(DATABASE, Cell(Version("2.17.1"), Version("3.11"))) == "tensorflow-cpu"
    assert distribution(DATABASE, Cell(Version("1.12.3"), Version("3.6"))) == "tensorflow"


def test_the_readme_says_what_the_ledger_says() -> None:
    """Its two numbers are there once, and are those of the ledger."""
    assert ledger.SUMMARY.findall(README.read_text(encoding="utf-8")) == [ledger.summary(RECORDED)]


def test_every_row_is_of_a_cell_and_dated() -> None:
    """Rows are about releases and Pythons that are tried, and not from the future."""
    assert {Cell(trial.tensorflow, trial.python) for trial in RECORDED} <= set(CELLS)
    assert all(date.fromisoformat(trial.date) <= datetime.now(UTC).date() for trial in RECORDED)


@pytest.mark.parametrize(
    "recorded", [trial for trial in RECORDED if trial.by == "tfenv"], ids=lambda one: f"{one.tensorflow}-{one.python}"
)
def test_every_recorded_cell_passes(recorded: ledger.Trial) -> None:
    """What tfenv locks works: on every release and Python that was tried."""
    assert recorded.passed, recorded.outcome


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.interpreters
@pytest.mark.parametrize("place", range(2))
def test_a_part_of_the_matrix(place: int) -> None:
    """Two cells a day, so that each is tried again every two months."""
    day = datetime.now(UTC).date().toordinal()
    cell = CELLS[(2 * day + place) % len(CELLS)]
    outcome = trial.by_tfenv(cell, DATABASE)
    assert outcome.passed, f"{cell}: {outcome.outcome}"
