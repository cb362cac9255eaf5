"""Which modules lie in the wheels of a release."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.symbols.database import load
from tfenv.symbols.modules import ModuleRanges, ModuleTable, module_of

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, D = map(Version, ("1.0.1", "1.1.0", "2.0.0", "2.1.0"))
TABLE = ModuleTable.made(
    {D: "d", C: "c", B: "b", A: "a"},
    {
        A: ("tensorflow.all", "tensorflow.old", "tensorflow.both"),
        B: ("tensorflow.all", "tensorflow.one", "tensorflow.old"),
        C: ("tensorflow.all", "tensorflow.new"),
        D: ("tensorflow.all", "tensorflow.new", "tensorflow.both"),
    },
)


def test_ranges() -> None:
    """Runs of releases; one that goes on has no end."""
    told = dict(line.split("\t") for line in TABLE.dumps().splitlines() if line.startswith("tensorflow."))
    assert told == {
        "tensorflow.all": "1.0.1-",
        "tensorflow.both": "1.0.1 2.1.0-",
        "tensorflow.new": "2.0.0-",
        "tensorflow.old": "1.0.1-1.1.0",
        "tensorflow.one": "1.1.0",
    }


def test_round_trip() -> None:
    """What is written is read again, and the one text comes of it."""
    assert ModuleTable.loads(TABLE.dumps()) == TABLE
    assert ModuleTable.loads(TABLE.dumps()).dumps() == TABLE.dumps()


@pytest.mark.parametrize(
    ("member", "module"),
    [
        ("tensorflow/python/ops/array_ops.py", "tensorflow.python.ops.array_ops"),
        ("tensorflow/python/ops/__init__.py", "tensorflow.python.ops"),
        ("tensorflow_core/python/__init__.py", "tensorflow.python"),
        ("tensorflow-1.4.1.data/purelib/tensorflow/python/tf2.py", "tensorflow.python.tf2"),
        ("tensorflow/python/_pywrap_tfe.so", "tensorflow.python._pywrap_tfe"),
        ("tensorflow/python/_tf_stack.cpython-38-x86_64-linux-gnu.so", "tensorflow.python._tf_stack"),
        ("tensorflow/_api/v2/math/__init__.py", ""),
        ("tensorflow/keras/layers/__init__.py", ""),
        ("tensorflow/include/tensorflow/core/a.h", ""),
        ("tensorflow/examples/a-b.py", ""),
        ("tensorflow-1.4.1.dist-info/METADATA", ""),
    ],
)
def test_module_of(member: str, module: str) -> None:
    """Members of a wheel that are modules; those that are not private are left out."""
    assert module_of(member) == module


@pytest.mark.parametrize("text", ["2.0\ta.whl x\ntensorflow.a\t1.9-\n", "tensorflow.a\t1.0\n", "x\ty\n", "2.0\n"])
def test_damage(tmp_path: Path, text: str) -> None:
    """A damaged file is named."""
    path = tmp_path / "modules.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"modules\.txt` is damaged"):
        ModuleRanges(path).having("tensorflow.a")


def test_shipped() -> None:
    """Known comings and goings; the file is the one text of what it says, small and quick to read."""
    modules = load().modules
    started = time.process_time()
    gone = modules.having("tensorflow.examples.tutorials.mnist.input_data")
    assert time.process_time() - started < 0.5
    assert gone is not None
    assert (gone[0], gone[-1]) == (Version("1.4.1"), Version("1.15.5"))
    assert modules.having("tensorflow.python.never") is None
    assert modules.having("tensorflow.keras") is None
    path = load().root / "modules.txt"
    text = path.read_text(encoding="utf-8")
    assert ModuleTable.loads(text).dumps() == text
    assert path.stat().st_size < 300_000
