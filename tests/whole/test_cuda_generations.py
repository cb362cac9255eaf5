"""Each generation of CUDA that comes as wheels: locked, installed by hash, and every library opened, without a GPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.whole.test_images import tfenv
from tfenv.model.report import Outcome
from tfenv.outputs import pylock
from tfenv.smoke import exchange, level_imported, level_installed, level_libraries
from tfenv.smoke.run import interpreter, probe
from tfenv.venv import interpreters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfenv.model.report import Level

pytestmark = [pytest.mark.slow, pytest.mark.index, pytest.mark.interpreters]

GENERATIONS = (
    ("11.2", "2.10", "cuda11", "3.10"),
    ("11.8", "2.13", "cuda11", "3.11"),
    ("12.2", "2.15", "cuda12", "3.11"),
    ("12.3", "2.17", "cuda12", "3.12"),
    ("12.5", "2.20", "cuda12", "3.13"),
)
"""built with, a release, what to ask for"""

EIGHT = (
    "libcudart.so.11.0", "libcublas.so.11", "libcublasLt.so.11", "libcufft.so.10", "libcurand.so.10",
    "libcusolver.so.11", "libcusparse.so.11", "libcudnn.so.8",
)  # fmt: skip
"""what TensorFlow 2.10 asks the loader for"""


def locked(folder: Path, tf: str, gpu: str, python: str) -> Path:
    """The lock that `tfenv lock` writes."""
    ran = tfenv(folder, "lock", "--tf", tf, "--gpu", gpu, "--python", python)
    assert ran.returncode == 0, ran.stderr
    return folder / "pylock.toml"


def opened(lock_file: Path, venv: Path) -> tuple[Level, ...]:
    """Levels 0 to 3, which need no GPU."""
    lock = pylock.loads(lock_file.read_text(encoding="utf-8"))
    options = {**json.loads(exchange.options(lock, seconds=1200)), "levels": [0, 1, 2, 3]}
    found = exchange.read(probe(interpreter(venv), json.dumps(options))[0])
    first = level_installed.judge(lock, found, {}, "L0"), level_imported.judge_import(found, (), "L1")
    if first[1].outcome is not Outcome.PASSED:
        return first
    return (*first, level_imported.judge_build(lock, found, "L2"), level_libraries.judge(lock, found, "L3"))


def installed_by_sync(folder: Path, tf: str, gpu: str, python: str) -> None:
    """`tfenv sync` brings the libraries into the sight of TensorFlow's own loader."""
    lock_file = locked(folder, tf, gpu, python)
    ran = tfenv(folder, "sync", "--venv", "venv")
    assert ran.returncode == 0, ran.stderr
    for level in opened(lock_file, folder / "venv"):
        assert level.outcome is Outcome.PASSED, f"{tf} on {gpu}: {level}"


def installed_by_pip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pip install -r pylock.toml` of 2.10 opens all eight libraries, once their folders are on the loader's path."""
    lock_file = locked(folder, "2.10", "cuda11", "3.10")
    venv = folder / "venv"
    python = str(venv / "bin" / "python")
    subprocess.run([str(interpreters.find(Version("3.10"))), "-m", "venv", str(venv)], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=26.1"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "-r", str(lock_file)], check=True)
    folders = [str(path) for path in sorted(venv.glob("lib/python3.10/site-packages/nvidia/*/lib"))]
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join(folders))
    script = f"import ctypes\nfor name in {EIGHT!r}: ctypes.CDLL(name)"
    subprocess.run([python, "-c", script], check=True)
    for level in opened(lock_file, venv)[1:]:  # level 0 sees pip, which is not locked
        assert level.outcome is Outcome.PASSED, level


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty one, which does not stay, nor do the wheels."""
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_one_of_them_a_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is gigabytes: five generations by `tfenv sync` and one of them by pip take turns."""
    turn = datetime.now(UTC).date().toordinal() % (len(GENERATIONS) + 1)
    if turn == len(GENERATIONS):
        installed_by_pip(folder, monkeypatch)
    else:
        _, *asked = GENERATIONS[turn]
        installed_by_sync(folder, *asked)
