"""Files that `infer` cannot read are unknown; those beside them are judged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tfenv.errors import UsageError
from tfenv.facts import database
from tfenv.workflow.infer import infer_with

if TYPE_CHECKING:
    from pathlib import Path

UNREADABLE = {
    "deep.py": b"x = " + b"(" * 3_000 + b")" * 3_000,
    "long.py": b"x = " + b"+".join([b"1"] * 60_000),
    "chain.py": b"import tensorflow as tf\nx = tf" + b".a" * 60_000,
    "deep.ipynb": b'{"cells":' + b"[" * 100_000,
    "damaged.keras": b"PK",
    "empty.h5": b"",
    "zero.py": b"import tensorflow\x00as tf\n",
}


def test_the_others_are_judged(tmp_path: Path) -> None:
    """Each file that cannot be read is named in `unknown`, also a dead link and a pipe; the rest is judged."""
    for name, content in UNREADABLE.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "good.py").write_text("import tensorflow as tf\ntf.layers.dense(1, 2)\n")
    found = infer_with([tmp_path], database.load())
    assert found.spec == ">=1.4,<2"
    for name in (*UNREADABLE, "gone.py", "pipe.py"):
        assert any(name in sentence for sentence in found.unknown), name


def test_code_in_codecs_that_are_not_for_text(tmp_path: Path) -> None:
    """A coding line may name a codec that decodes no text, or refuses to replace what it cannot decode."""
    for codec in ("hex", "idna", "undefined", "zip", "none-such"):
        code = b"import tensorflow as tf\nx = '\xff'\n"
        (tmp_path / f"{codec}.py").write_bytes(f"# coding: {codec}\n".encode() + code)
    assert infer_with([tmp_path], database.load()).releases


def test_one_damaged_model(tmp_path: Path) -> None:
    """A damaged model is an error if it is all there is to read, and unknown beside other files that were named."""
    model, code = tmp_path / "damaged.keras", tmp_path / "good.py"
    model.write_bytes(b"PK")
    code.write_text("import tensorflow as tf\n")
    with pytest.raises(UsageError, match="cannot be read"):
        infer_with([model], database.load())
    assert any("damaged.keras" in sentence for sentence in infer_with([model, code], database.load()).unknown)
