"""What only the code of a companion says is judged, beside the TensorFlow that it is about."""

from __future__ import annotations

import json

import pytest

from tfenv.check.knowledge import Knowledge
from tfenv.facts.database import load
from tfenv.inputs import configuration
from tfenv.model.report import Answer, Verdict
from tfenv.workflow.check import judged


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The facts that come with tfenv, without an index."""
    return Knowledge(load())


def ask(knowledge: Knowledge, tensorflow: str, **packages: str) -> Verdict:
    """The verdict on TensorFlow with some packages, on a CPU."""
    pins = {name.replace("_", "-"): version for name, version in packages.items()}
    question = {"tf": tensorflow, "python": "3.11", "os": "linux", "arch": "x86_64", "gpu": "none", "packages": pins}
    return judged(configuration.loads(json.dumps(question), "question"), knowledge)


def test_tf_keras_is_missing_only_beside_keras_3(knowledge: Knowledge) -> None:
    """retina-face imports it from 2.16 on."""
    broken = ask(knowledge, "2.17.1", retina_face="0.0.17")
    assert broken.answer is Answer.BROKEN
    assert any("tf-keras" in problem.subject for problem in broken.problems)
    assert ask(knowledge, "2.15.1", retina_face="0.0.17").answer is not Answer.BROKEN
    assert ask(knowledge, "2.17.1", retina_face="0.0.17", tf_keras="2.17.0").answer is not Answer.BROKEN


def test_with_tf_keras_what_legacy_keras_allows_is_open(knowledge: Knowledge) -> None:
    """Whether TF_USE_LEGACY_KERAS is set decides, and nobody said."""
    assert ask(knowledge, "2.17.1", tensorflow_model_optimization="0.7.5").answer is Answer.BROKEN
    verdict = ask(knowledge, "2.17.1", tensorflow_model_optimization="0.7.5", tf_keras="2.17.0")
    assert verdict.answer is Answer.UNKNOWN
    assert any("TF_USE_LEGACY_KERAS" in text for text in verdict.unknown)
