"""The dynamic symbols of a shared library, compiled here."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tfenv.harvest.exports import exports, library

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
int shown(void) { return 1; }
__attribute__((weak)) int weakly(void) { return 2; }
__attribute__((visibility("hidden"))) int hidden(void) { return 3; }
static int own(void) { return 4; }
extern int elsewhere(void);
int calls(void) { return elsewhere() + own() + hidden(); }
"""


def test_exports(tmp_path: Path) -> None:
    """What is defined and visible; not what is wanted from elsewhere, hidden or static."""
    compiler = shutil.which("cc")
    assert compiler is not None
    (tmp_path / "a.c").write_text(SOURCE, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "a.so", tmp_path / "a.c"], check=True)
    data = (tmp_path / "a.so").read_bytes()
    assert exports(data) == {"shown", "weakly", "calls"}
    for cut in (b"", b"no library", data[:100], data[:-500]):
        with pytest.raises(ValueError, match=r"symbol table cannot be read|not a 64-bit"):
            exports(cut)


def test_library() -> None:
    """The libraries that ops are linked against, wherever a wheel has them."""
    assert library("tensorflow/libtensorflow_framework.so.2") == "framework"
    assert library("tensorflow-1.4.1.data/purelib/tensorflow/libtensorflow_framework.so") == "framework"
    assert library("tensorflow/libtensorflow_cc.so.2") == "cc"
    assert not library("tensorflow/python/_pywrap_tensorflow_internal.so")
