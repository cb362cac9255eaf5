"""The public Python API."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

import tfenv
from tests.support.index_server import FakeIndex

if TYPE_CHECKING:
    from pathlib import Path


def test_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request becomes a lock, and what cannot be met an error of ours; no file is written."""
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with FakeIndex() as index:
        for name in ("tensorflow", "tensorflow-cpu"):
            index.add_wheel(name, "2.20.0", tags="cp312-cp312-manylinux_2_27_x86_64")
        locked = tfenv.lock(tfenv.Request(index_url=index.url))
        assert isinstance(locked, tfenv.Lock)
        assert (locked.tensorflow.name, locked.target.python) == ("tensorflow-cpu", Version("3.12"))
        arm = tfenv.Request(index_url=index.url, platform=tfenv.Platform.LINUX_AARCH64, gpus="cuda")
        with pytest.raises(tfenv.TfenvError):
            tfenv.lock(arm)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_every_public_name_is_there() -> None:
    """What is promised exists, and nothing else is made up."""
    assert all(getattr(tfenv, name) is not None for name in tfenv.__all__)
    with pytest.raises(AttributeError, match="`dance`"):
        _ = tfenv.dance


def test_importing_is_cheap() -> None:
    """`import tfenv` imports nothing of a dependency."""
    code = "import sys, tfenv; print([name for name in ('packaging', 'httpx', 'resolvelib') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
