"""Companions: what is tried, what the ledger says of them, and a part of them tried again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tfenv.facts.database import load
from tfenv.model.package import Name
from tfenv.smoke.run import interpreter
from tfenv.venv.interpreters import find
from tfenv.venv.sync import site_packages
from tools import ledger
from tools.companions.stacks import Call, calls, pick, stacks
from tools.companions.trial import attempt, request, use

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = load()
RECORDED = [one for one in ledger.load() if one.package is not None]


def test_each_companion_has_a_use() -> None:
    """What a stack asks for is used for real, and every use is asked for by a stack."""
    asked = {name for stack in stacks() for name in stack.companions}
    assert asked == set(calls())
    assert all(call.says and "import " in call.code for call in calls().values())


def test_stacks_are_picked_by_name() -> None:
    """A minor, and a minor on one Python."""
    every = stacks()
    assert list(pick(every, [])) == list(every)
    assert {stack.tensorflow for stack in pick(every, ["2.15"])} == {"2.15"}
    assert [str(stack) for stack in pick(every, ["2.17@3.11"])] == ["2.17@3.11 with Keras 2"]


def test_a_stack_is_a_request() -> None:
    """As the options of `tfenv lock` would ask."""
    stack = next(stack for stack in stacks() if stack.keras == 2)
    asked = request(stack)
    assert asked.keras == 2
    assert asked.target.python == stack.python
    assert str(asked.tensorflow) == f"=={stack.tensorflow}.*"
    assert {requirement.name for requirement in asked.requirements} == set(stack.companions)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("assert value(Tensor()) == 1", "passed"),
        ("assert value(Tensor()) == 2", "AssertionError"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("import os; os._exit(3)", "exit code 3"),
    ],
)
def test_a_use_can_fail(code: str, outcome: str, tmp_path: Path) -> None:
    """With a TensorFlow of four lines: what is told of a use that works, of some that do not, and of the next one."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site_packages(venv) / "tensorflow.py").write_text(
        "def executing_eagerly():\n    return True\nclass Tensor:\n    def numpy(self):\n        return 1\n"
    )
    first = Call(says="", code=f"from tensorflow import Tensor\n{code}")
    uses = {Name("one"): first, Name("two"): Call(says="", code="pass")}
    assert dict(use(uses, interpreter(venv), tmp_path / "use")) == {"one": outcome, "two": "passed"}


def test_without_tensorflow_no_use_passes(tmp_path: Path) -> None:
    """The reason is the same for all."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    found = dict(use({Name("one"): Call(says="", code="pass")}, interpreter(venv), tmp_path / "use"))
    assert found == {"one": "ModuleNotFoundError: No module named 'tensorflow'"}


def test_rows_are_of_stacks_and_dated() -> None:
    """Rows are about what is tried, on a day that has been, with a release that exists."""
    tried = {(stack.tensorflow, stack.python, stack.keras, name) for stack in stacks() for name in stack.companions}
    for pair in RECORDED:
        assert (pair.minor, pair.python, pair.keras, pair.package) in tried
        assert pair.tensorflow in DATABASE.releases.versions(Name("tensorflow"))
        assert date.fromisoformat(pair.date) <= datetime.now(UTC).date()


@pytest.mark.parametrize("pair", RECORDED, ids=lambda pair: f"{pair.tensorflow}-{pair.package}-{pair.python}")
def test_every_recorded_pair_passes(pair: ledger.Trial) -> None:
    """What tfenv locks together works together."""
    assert pair.passed, pair.outcome


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.interpreters
def test_a_pair_a_day() -> None:
    """A pair that passed once, by itself: locked, installed, used."""
    day = datetime.now(UTC).date().toordinal()
    pair = RECORDED[day % len(RECORDED)]
    place = (pair.minor, pair.python, pair.keras)
    stack = next(each for each in stacks() if (each.tensorflow, each.python, each.keras) == place)
    find(stack.python)
    alone = tuple(text for text, name in zip(stack.requires, stack.companions, strict=True) if name == pair.package)
    for again in attempt(replace(stack, requires=alone), DATABASE):
        assert again.passed, f"{again.tensorflow} with {again.package} {again.version}: {again.outcome}"
