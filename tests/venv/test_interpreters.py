"""Which interpreter makes an environment, and what is said where there is none."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.venv import interpreters

if TYPE_CHECKING:
    from pathlib import Path

HERE = Version(".".join(map(str, sys.version_info[:2])))
NOWHERE = {"HOME": "/nonexistent", "PATH": ""}


def fake(path: Path, said: str) -> Path:
    """An interpreter that says what it is, and can do nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {said}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_running_one_is_taken_first() -> None:
    """It is there for sure."""
    assert interpreters.find(HERE, environment=NOWHERE).samefile(sys.executable)


@pytest.mark.parametrize(
    ("place", "variable"),
    [
        ("bin/python3.6", "PATH"),
        ("bin/python3", "PATH"),
        ("home/.pyenv/versions/3.6.15/bin/python3.6", "HOME"),
        ("root/versions/3.6.15/bin/python3.6", "PYENV_ROOT"),
        ("home/.local/share/uv/python/cpython-3.6.15-linux-x86_64-gnu/bin/python3.6", "HOME"),
    ],
)
def test_where_it_is_looked_for(place: str, variable: str, tmp_path: Path) -> None:
    """On `PATH`, and where pyenv and uv keep theirs."""
    path = fake(tmp_path / place, "CPython 3.6.15 0")
    folder = str(tmp_path / place.split("/", maxsplit=1)[0])
    assert interpreters.find(Version("3.6"), environment={**NOWHERE, variable: folder}) == path


@pytest.mark.parametrize("said", ["PyPy 3.6.15 0", "CPython 3.7.2 0", "CPython 3.6.15 1", "nothing"])
def test_what_does_not_fit_is_passed_over(said: str, tmp_path: Path) -> None:
    """Another implementation or version, a build without a GIL, and what is no Python at all."""
    fake(tmp_path / "python3.6", said)
    with pytest.raises(UsageError):
        interpreters.find(Version("3.6"), environment={**NOWHERE, "PATH": os.fspath(tmp_path)})


@pytest.mark.parametrize(("wanted", "uv"), [("3.6", False), ("3.7", False), ("3.99", True)])
def test_how_to_get_it(wanted: str, uv: bool) -> None:
    """What really provides it is named; uv has none before 3.8."""
    with pytest.raises(UsageError, match=rf"no Python {wanted} was found") as caught:
        interpreters.find(Version(wanted), environment=NOWHERE)
    hint = caught.value.hint or ""
    assert (f"uv python install {wanted}" in hint) is uv
    assert f"pyenv install {wanted}" in hint
    assert "environment.yml" in hint


def test_one_that_is_named(tmp_path: Path) -> None:
    """It has to be of the Python of the lock, and the fault says which it is."""
    path = fake(tmp_path / "python", "CPython 3.6.15 0")
    assert interpreters.find(Version("3.6"), path) == path
    with pytest.raises(UsageError, match=r"is Python 3\.6\.15, the lock is for 3\.9") as caught:
        interpreters.find(Version("3.9"), path)
    assert "--python 3.6" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="not a CPython"):
        interpreters.find(Version("3.6"), fake(tmp_path / "other", "nothing"))


@pytest.mark.parametrize(
    ("place", "variable"),
    [
        ("bin/python3.6.exe", "PATH"),
        ("bin/python.exe", "PATH"),
        ("root/versions/3.6.8/python.exe", "PYENV_ROOT"),
        ("uv/cpython-3.6.8-windows-x86_64-none/python.exe", "UV_PYTHON_INSTALL_DIR"),
    ],
)
def test_layout_of_windows(place: str, variable: str, tmp_path: Path) -> None:
    """Interpreters are `python.exe`, beside their folders rather than in `bin`."""
    path = fake(tmp_path / place, "CPython 3.6.8 0")
    folder = str(tmp_path / place.split("/", maxsplit=1)[0])
    assert interpreters.find(Version("3.6"), environment={**NOWHERE, variable: folder}, windows=True) == path


def test_launcher_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `py` launcher is asked last; without it the search ends in the usual error."""
    path = fake(tmp_path / "elsewhere" / "python.exe", "CPython 3.6.8 0")
    fake(tmp_path / "bin" / "py", str(path))
    with pytest.raises(UsageError):
        interpreters.find(Version("3.6"), environment=NOWHERE, windows=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert interpreters.find(Version("3.6"), environment=NOWHERE, windows=True) == path
