"""The table of what was tried: its cells, its file, and a part of it tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.model.package import TENSORFLOW
from tools.matrix import evidence, trial
from tools.matrix.cells import EARLY, Cell, cells, distribution, pick, pythons
from tools.matrix.evidence import Tried

DATABASE = load()
CELLS = cells(DATABASE)
FILE = Path(__file__).parents[2] / "constraints" / "evidence" / "matrix.toml"
RECORDED = evidence.load(FILE)


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


def test_file_and_back(tmp_path: Path) -> None:
    """What is written is read again, in order, whatever an error message holds."""
    said = 'L1: `import "tensorflow"` fails: C:\\x'
    table: evidence.Evidence = {
        Cell(Version("2.10.1"), Version("3.9")): {"tfenv": Tried(date="2026-11-22", outcome="passed", packages=40)},
        Cell(Version("2.9.3"), Version("3.10")): {
            "tfenv": Tried(date="2026-11-22", outcome="passed", packages=41),
            "plain": Tried(date="2026-11-21", outcome=said),
        },
    }
    file = tmp_path / "evidence.toml"
    file.write_text(evidence.dumps(table), encoding="utf-8")
    again = evidence.load(file)
    assert again == table
    assert [str(cell) for cell in again] == ["2.9.3 on 3.10", "2.10.1 on 3.9"]
    assert evidence.summary(again) == "tfenv: 2 of 2 · plain: 0 of 1"
    assert evidence.load(tmp_path / "none.toml") == {}


def test_one_outcome_beside_the_others(tmp_path: Path) -> None:
    """What another run wrote in the meantime stays."""
    file = tmp_path / "evidence.toml"
    cell = Cell(Version("2.10.1"), Version("3.9"))
    one, two = Tried(date="2026-11-22", outcome="passed"), Tried(date="2026-11-23", outcome="L1: no")
    evidence.record(file, cell, "tfenv", one)
    evidence.record(file, cell, "plain", two)
    assert evidence.load(file) == {cell: {"tfenv": one, "plain": two}}
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.toml"]


def test_the_recorded_table_is_canonical() -> None:
    """Nobody edited the rows by hand."""
    assert evidence.dumps(RECORDED) == FILE.read_text(encoding="utf-8")


def test_the_readme_says_what_the_table_says() -> None:
    """Its two numbers stand there once, and are those of the table."""
    readme = (FILE.parents[2] / "README.md").read_text(encoding="utf-8")
    assert evidence.SAID.findall(readme) == [evidence.summary(RECORDED)]


def test_the_readme_is_brought_up_to_date(tmp_path: Path) -> None:
    """Only the numbers change."""
    readme = tmp_path / "README.md"
    readme.write_text("Seen: `tfenv: 1 of 2 · plain: 0 of 1`.\n", encoding="utf-8")
    cell = Cell(Version("2.10.1"), Version("3.9"))
    evidence.tell(readme, {cell: {"tfenv": Tried(date="2026-11-22", outcome="passed")}})
    assert readme.read_text(encoding="utf-8") == "Seen: `tfenv: 1 of 1 · plain: 0 of 0`.\n"


def test_every_row_is_of_a_cell_and_dated() -> None:
    """Rows are about releases and Pythons that are tried, and not from the future."""
    assert set(RECORDED) <= set(CELLS)
    for tried in (each for row in RECORDED.values() for each in row.values()):
        assert date.fromisoformat(tried.date) <= datetime.now(UTC).date()


@pytest.mark.parametrize("cell", RECORDED, ids=str)
def test_every_recorded_cell_passes(cell: Cell) -> None:
    """What tfenv locks works: on every release and Python that was tried."""
    tried = RECORDED[cell].get("tfenv")
    assert tried is None or tried.passed, tried.outcome


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
