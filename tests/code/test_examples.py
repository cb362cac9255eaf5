"""Three programs that everyone meets, each with what takes its place: they run where `infer` says, and only there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.code.surroundings import DATABASE
from tfenv.workflow.infer import infer

FOLDER = Path(__file__).with_name("examples")
TRIED = tomllib.loads((FOLDER / "tried.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TRIED)
def test_it_runs_where_infer_says(name: str) -> None:
    """On every release where it was tried it ran exactly if that one is in the answer."""
    answer = infer([FOLDER / f"{name}.py"], DATABASE)
    for release, came in TRIED[name].items():
        assert (came == "ran") == (release in answer.releases), (release, came)


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
    found = infer([FOLDER / f"{name}.py"], DATABASE).findings
    told = {one.symbol: one.became for one in found}
    assert (told[symbol] or "").startswith(became)


def test_every_example_was_tried_inside_and_outside() -> None:
    """Old ones on releases that have what they call, and on some that have not."""
    assert {path.stem for path in FOLDER.glob("*.py")} == set(TRIED)
    for name in ("layers_1", "session_1", "estimator_1"):
        came = list(TRIED[name].values())
        assert "ran" in came
        assert any(one.startswith("AttributeError") for one in came)
