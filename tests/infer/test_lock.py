"""`lock --infer`: a request narrowed to what the code needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from tests.infer.surroundings import infer_text
from tests.support.commands import runner
from tfenv.errors import NoSolution
from tfenv.model.goal import Goal
from tfenv.workflow.infer import narrowed

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "import tensorflow as tf\ntf.Session()\n"
OPTIMIZER = "import tensorflow as tf\ntf.keras.optimizers.Adam(lr=0.1)\n"


def _bounds(request: Goal) -> dict[str, str]:
    return {str(one.name): str(one.specifier) for one in request.constraints}


def test_releases_and_python_become_bounds() -> None:
    """TensorFlow under each of its names, and Python, with who says so."""
    code = SESSION + "import tensorflow_hub\nimport numpy\nprint(f'{1}')\n"
    request, notes = narrowed(Goal(), infer_text(code), "`a.py`")
    bounds = _bounds(request)
    assert bounds["tensorflow"] == bounds["tensorflow-cpu"] == bounds["tensorflow-gpu"]
    assert "<2" in bounds["tensorflow"]
    assert [str(one) for one in request.requirements] == ["tensorflow-hub", "python<3.8,>=3.6"]
    assert {one.source for one in (*request.constraints, *request.requirements)} == {"--infer `a.py`"}
    assert len(notes) == 2
    assert request.keras is None


def test_keras_2_on_request() -> None:
    """Releases with Keras 3 serve once Keras 2 is asked for; without that the note says so."""
    found = infer_text(OPTIMIZER)
    plain, notes = narrowed(Goal(), found, "`a.py`")
    assert "<2.16" in _bounds(plain)["tensorflow"]
    assert plain.keras is None
    assert "`--keras 2`" in notes[-1]
    legacy, _ = narrowed(Goal(keras=2), found, "`a.py`")
    assert "<2.16" not in _bounds(legacy)["tensorflow"]
    assert legacy.keras == 2


def test_keras_2_where_the_code_asks_for_it() -> None:
    """Who sets TF_USE_LEGACY_KERAS, or imports tf_keras, gets it."""
    found = infer_text("import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\n" + OPTIMIZER)
    assert narrowed(Goal(), found, "`a.py`")[0].keras == 2


def test_keras_2_where_nothing_else_serves() -> None:
    """Code of newer releases with habits of Keras 2."""
    found = replace(infer_text(OPTIMIZER), conflict=True)
    request, _ = narrowed(Goal(), found, "`a.py`")
    assert request.keras == 2
    assert SpecifierSet(_bounds(request)["tensorflow"]) == SpecifierSet(found.legacy_spec)


def test_the_releases_that_serve_most() -> None:
    """They are taken where none has everything, with a note about what they lack."""
    found = infer_text(SESSION + "tf.keras.layers.RandomFlip()\n")
    request, (note,) = narrowed(Goal(), found, "`a.py`")
    assert SpecifierSet(_bounds(request)["tensorflow"]) == SpecifierSet(found.spec)
    assert note.startswith("no release has everything that `a.py` uses; tensorflow ")
    assert "lacks `tf." in note


def test_no_release_serves() -> None:
    """The error sends to `infer`."""
    found = replace(infer_text(SESSION), spec="", releases=(), conflict=True)
    with pytest.raises(NoSolution, match=r"has everything that `a\.py` uses") as told:
        narrowed(Goal(), found, "`a.py`")
    assert told.value.hint == "`tfenv infer a.py` shows which lines contradict each other"


@pytest.mark.index
def test_the_newest_that_fits_is_locked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `Session` script gets 1.15; with 2.10 asked for as well, the chain of reasons names the code."""
    tfenv = runner(capsys)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(SESSION, encoding="utf-8")
    ran = tfenv("lock", "--infer", tmp_path / "a.py", "--gpu", "none", "-o", tmp_path)
    assert ran.code == 0, ran.err
    assert "tensorflow 1.15.5" in ran.err
    ran = tfenv("lock", "--infer", tmp_path / "a.py", "--tf", "2.10", "--gpu", "none", "-o", tmp_path)
    assert ran.code == 3
    assert f"[--infer `{tmp_path / 'a.py'}`]" in ran.err
