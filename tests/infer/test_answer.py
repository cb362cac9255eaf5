"""From what files say to the answer."""

from __future__ import annotations

import pytest

from tests.infer.surroundings import KEPT, SURFACE, infer_files, infer_text
from tfenv.infer.answer import spec
from tfenv.outputs.inferred import document

SESSION = "import tensorflow as tf\ntf.Session()\n"
FLIP = "import tensorflow as tf\ntf.keras.layers.RandomFlip()\n"
OPTIMIZER = "import tensorflow as tf\ntf.keras.optimizers.Adam(lr=0.1)\n"


def test_the_contract() -> None:
    """The shape that `infer --json` promises."""
    told = document(infer_text(SESSION))
    assert isinstance(told["findings"], list)
    assert list(told)[:7] == ["releases", "spec", "python", "companions", "legacy_keras", "findings", "unknown"]
    assert told["findings"] == [
        {
            "file": "code.py",
            "line": 2,
            "symbol": "tf.Session",
            "first": SURFACE.minors[0],
            "last": "1.15",
            "became": "tf.compat.v1.Session",
            "guarded": False,
        }
    ]
    assert "conflict" not in told


def test_contradiction_of_two_files() -> None:
    """No release has everything: those that serve most files, the files left out, and the lines that contradict."""
    found = infer_files({"a.py": SESSION, "b.py": FLIP, "c.py": FLIP})
    assert found.conflict
    assert [one for one in found.releases if one in KEPT] == ["2.10", "2.15", "2.16", "2.20"]
    assert found.spec.startswith(">=2.6")
    assert found.fit == ("b.py", "c.py")
    assert found.misfit == ("a.py",)
    ((one, two),) = found.contradictions
    assert (one.file, one.symbol, two.symbol) == ("a.py", "tf.Session", "tf.keras.layers.RandomFlip")
    told = document(found)
    assert (told["conflict"], told["fit"], told["misfit"]) == (True, ["b.py", "c.py"], ["a.py"])
    lost = told["lost"]
    assert isinstance(lost, dict)
    assert {one["symbol"] for one in lost["2.10"]} == {"tf.Session"}


def test_contradiction_within_a_file() -> None:
    """One file may contradict itself."""
    found = infer_files({"a.py": SESSION + FLIP, "b.py": FLIP})
    assert found.misfit == ("a.py",)
    assert {one.symbol for pair in found.contradictions for one in pair} == {"tf.Session", "tf.keras.layers.RandomFlip"}


def test_legacy_keras_is_the_way_out() -> None:
    """What Keras 3 refuses, and TF_USE_LEGACY_KERAS brings back, is told; what it cannot bring back is not."""
    assert infer_text(OPTIMIZER).legacy_keras
    assert not infer_text(SESSION).legacy_keras
    assert not infer_files({"a.py": OPTIMIZER, "b.py": SESSION}).legacy_keras


def test_files_that_say_nothing() -> None:
    """No file, or nothing that binds: every release serves."""
    assert infer_files({}).releases == SURFACE.minors
    assert infer_text("").releases == SURFACE.minors


@pytest.mark.parametrize(
    ("minors", "text"),
    [
        ({"1.15"}, ">=1.15,<2"),
        ({"2.15", "2.16"}, None),
        ({SURFACE.minors[-1]}, f">={SURFACE.minors[-1]}"),
        (set(), ""),
    ],
)
def test_spec(minors: set[str], text: str | None) -> None:
    """Minor releases as a specifier, which holds for these and no others."""
    from packaging.specifiers import SpecifierSet

    mask = sum(1 << place for place, name in enumerate(SURFACE.minors) if name in minors)
    found = spec(SURFACE, mask)
    assert text is None or found == text
    if minors:
        allowed = SpecifierSet(found)
        assert {str(name) for name in SURFACE.minors if allowed.contains(f"{name}.0")} == minors


def test_spec_with_a_hole() -> None:
    """What is missing between is named."""
    mask = SURFACE.every & ~(1 << SURFACE.minors.index("2.10"))
    assert spec(SURFACE, mask) == f">={SURFACE.minors[0]},!=2.10.*"
