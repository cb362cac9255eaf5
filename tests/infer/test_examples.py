"""Programs as people write them, tried on many releases (`tried.py`): they run where `infer` says, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from tests.infer.surroundings import DATABASE, SURFACE
from tfenv.workflow.infer import infer_with
from tools import tried

if TYPE_CHECKING:
    from pathlib import Path

TRIED = tried.load()


@pytest.mark.parametrize("path", tried.FILES, ids=lambda path: path.name)
def test_it_runs_where_infer_says(path: Path) -> None:
    """On every release where it was tried it ran exactly if that one is in the answer, with its Python."""
    answer = infer_with([path], DATABASE)
    pythons = SpecifierSet(answer.python)
    inside = {
        minor: minor in answer.releases and pythons.contains(where.python) for minor, where in TRIED.where.items()
    }
    ran = {minor: came == "ran" for minor, came in TRIED.came[path.name].items()}
    if answer.unknown:  # it says itself that something may be missing on releases that it names
        inside = {minor: told and ran[minor] for minor, told in inside.items()}
    assert inside == ran


@pytest.mark.parametrize(
    ("name", "symbol", "became"),
    [
        ("layers_1", "tf.layers.dense", "tf.keras.layers.Dense"),
        ("session_1", "tf.placeholder", "tf.compat.v1.placeholder"),
        ("session_1", "tf.Session", "tf.compat.v1.Session"),
        ("estimator_1", "tf.estimator.LinearClassifier", "tf.keras"),
    ],
)
def test_what_replaced_it_is_named(name: str, symbol: str, became: str) -> None:
    """The finding of the old name says the new one."""
    found = infer_with([tried.FOLDER / f"{name}.py"], DATABASE).findings
    told = {one.symbol: one.became for one in found}
    assert (told[symbol] or "").startswith(became)


def test_every_example_was_tried_on_every_release() -> None:
    """From 1.x to the newest in the table; the old ones failed on some for want of a name."""
    assert {path.name for path in tried.FILES} == set(TRIED.came)
    assert {tuple(came) for came in TRIED.came.values()} == {tuple(TRIED.where)}
    assert [*TRIED.where][-1] == SURFACE.minors[-1]
    for name in ("layers_1", "session_1", "estimator_1"):
        came = list(TRIED.came[f"{name}.py"].values())
        assert "ran" in came
        assert any(one.startswith("AttributeError") for one in came)


def test_the_page_has_the_figures() -> None:
    """How many programs, on how many releases."""
    page = " ".join((tried.FOLDER.parents[2] / "docs" / "infer.md").read_text(encoding="utf-8").split())
    minors = [*TRIED.where]
    told = f"The {len(tried.FILES)} small programs of `tests/infer/examples` were run on {len(minors)} releases"
    assert f"{told} from {minors[0]} to {minors[-1]}" in page


def test_the_file_is_as_it_is_written() -> None:
    """Read and written again it is the same."""
    assert tried.dumps(TRIED) == tried.FILE.read_text(encoding="utf-8")
