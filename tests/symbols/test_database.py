"""The tables of symbols: their digest, and what it says in an answer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tfenv.facts import location
from tfenv.outputs.inferred import document
from tfenv.symbols.database import Symbols, load
from tfenv.workflow.infer import infer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    return shutil.copytree(load().root, tmp_path / "symbols")


def test_the_tables_stay_read() -> None:
    """A second call gets the same tables, so that a service reads them once."""
    assert load() is load()


def test_a_comment_is_no_symbol(root: Path) -> None:
    """Comments at the head of a file do not count."""
    path = root / "modules.txt"
    path.write_text(f"# another comment\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert Symbols(root).version == load().version


@pytest.mark.parametrize("name", ["api/tensorflow/_.txt", "modules.txt", "api/became.toml", "api/renames.txt"])
def test_a_changed_symbol_counts(root: Path, name: str) -> None:
    """A line more is another digest, whichever file it is in."""
    path = root / name
    path.write_text(f"{path.read_text(encoding='utf-8')}\n", encoding="utf-8")
    assert Symbols(root).version != load().version


def test_a_changed_symbol_changes_the_answer_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one more symbol the releases are others, and the answer names the tables that it is from."""
    code = tmp_path / "train.py"
    code.write_text("import tensorflow as tf\ntf.no_such_name_yet()\n", encoding="utf-8")
    before = infer(code)
    monkeypatch.setenv("TFENV_DATA_DIR", str(tmp_path))
    root = tmp_path / "newer"
    for part in location.PARTS:
        shutil.copytree(location.shipped() / part, root / part)
    path = root / "symbols" / "api" / "tensorflow" / "_.txt"
    path.write_text(f"{path.read_text(encoding='utf-8')}no_such_name_yet\tf\t2.15+\t~x\t\t()\n", encoding="utf-8")
    location.pointer_file().write_text(location.pointer(root, location.shipped()), encoding="utf-8")
    after = infer(code)
    assert after.releases != before.releases
    assert after.releases[0] == "2.15"
    assert after.facts == before.facts
    assert after.symbols != before.symbols
    assert document(after)["facts"] == {"rows": after.facts, "symbols": Symbols(root / "symbols").version}
