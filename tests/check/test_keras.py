"""`check --keras`: can `tf.keras` be that, and with what?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from tfenv.check.knowledge import Knowledge
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.errors import UsageError
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.model.goal import Goal
from tfenv.resolver.commands import lock_command

if TYPE_CHECKING:
    from tfenv.model.report import Verdict

WORLD = Knowledge(load())
MACHINE = {"python": "3.11", "os": "linux", "arch": "x86_64", "gpu": "none"}


def verdict(tf: str, keras: int, **packages: str) -> Verdict:
    said = {
        **MACHINE,
        "tf": tf,
        "keras": keras,
        "packages": {name.replace("_", "-"): v for name, v in packages.items()},
    }
    return judge(ask(configuration.loads(json.dumps(said), "said"), WORLD.database), WORLD)


def test_keras_2_where_it_is_3() -> None:
    """It works, as long as `tf-keras` and the variable are there."""
    found = verdict("2.17.1", 2)
    assert not found.problems
    assert "tf-keras and TF_USE_LEGACY_KERAS=1 is there: it makes `tf.keras` Keras 2" in {
        caution.message for caution in found.warnings
    }
    assert not [one for one in verdict("2.15.1", 2).warnings if "tf-keras" in one.message]


def test_keras_3_where_it_is_2() -> None:
    """`tf.keras` of 2.15 cannot be Keras 3."""
    (problem,) = verdict("2.15.1", 3).problems
    assert (problem.code, problem.subject) == ("keras-mismatch", "keras")
    assert not verdict("2.16.1", 3).problems


def test_of_another_minor() -> None:
    """`tf-keras` of 2.16 does not go with TensorFlow 2.17."""
    assert [problem.code for problem in verdict("2.17.1", 2, tf_keras="2.16.0").problems] == ["keras-mismatch"]


def test_fixes_keep_it() -> None:
    """What is suggested asks for the same Keras."""
    goal = Goal(tensorflow=SpecifierSet("==2.17.*"), keras=2)
    assert lock_command(goal) == "tfenv lock --tf 2.17 --keras 2"


def test_there_is_no_other() -> None:
    """2 and 3 are all there is."""
    with pytest.raises(UsageError) as caught:
        configuration.of_options(keras=4)
    assert caught.value.faults == ("`keras`: `4` is neither 2 nor 3",)
