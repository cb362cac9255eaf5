"""A lock is installed as it is by pip and by uv, and what they install imports and trains."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.whole.test_images import tfenv

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.index]

TRAIN = """
import numpy as np, tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
x = np.linspace(0, 1, 256, dtype="float32")[:, None]
loss = model.fit(x, 3 * x, epochs=20, verbose=0).history["loss"]
assert loss[-1] < loss[0], loss
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock for the CPU and for the Python that runs the tests."""
    folder = tmp_path_factory.mktemp("locked")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    ran = tfenv(folder, "lock", "--gpu", "none", "--python", python)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installs_and_trains(installer: str, locked: Path, tmp_path: Path) -> None:
    """`pip install -r pylock.toml` and `uv pip sync pylock.toml` both make an environment that trains."""
    venv, lock = tmp_path / "venv", str(locked / "pylock.toml")
    python = str(venv / "bin" / "python")
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, "--seed", str(venv)], check=True)
    if installer == "pip":
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=26.1"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "-r", lock], check=True)
    else:
        subprocess.run(["uv", "pip", "sync", "--quiet", "--python", python, lock], check=True)
    subprocess.run([python, "-c", TRAIN], check=True, timeout=600)
