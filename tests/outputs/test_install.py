"""What tfenv locks, other installers install as it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from packaging.version import Version

from tests.support.locks import cpu_lock, package
from tfenv.model.target import Platform
from tfenv.outputs import conda, pylock, requirements

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfenv.model.lock import Lock

pytestmark = pytest.mark.index

FILES = "https://files.pythonhosted.org/packages/"


def real_lock() -> Lock:
    """Two small wheels of pypi.org, for the interpreter that runs the tests."""
    here = f"{sys.platform}-{platform.machine()}"
    if here not in ("linux-x86_64", "linux-aarch64"):
        pytest.skip(f"the sample is for Linux, not {here}")
    sample = cpu_lock()
    return replace(
        sample,
        target=replace(
            sample.target, platform=Platform(here), python=Version(f"{sys.version_info[0]}.{sys.version_info[1]}")
        ),
        packages=(
            package(
                "packaging-25.0-py3-none-any.whl",
                requires_python=">=3.8",
                size=66469,
                sha256="29572ef2b1f17581046b3a2227d5c611fb25ec70ca1ba8554b24b0e69331a484",
                url=f"{FILES}20/12/38679034af332785aac8774540895e234f4d07f7545804097de4b666afd8/packaging-25.0-py3-none-any.whl",
            ),
            package(
                "six-1.17.0-py2.py3-none-any.whl",
                "packaging",
                requires_python="!=3.0.*,!=3.1.*,!=3.2.*,>=2.7",
                size=11050,
                sha256="4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274",
                url=f"{FILES}b7/ce/149a00dd41f10bc29e5921b496af8b574d8413afcd5e30dfa0ed46c2cc5e/six-1.17.0-py2.py3-none-any.whl",
            ),
        ),
    )


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an installer outside the environment of the tests."""
    surroundings = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env=surroundings, text=True, capture_output=True, check=False
    )


def installed(python: Path, folder: Path) -> str:
    """The versions of both packages, as the environment tells them."""
    script = "from importlib.metadata import version; print(version('packaging'), version('six'))"
    done = run(python, "-I", "-c", script, folder=folder)
    return done.stdout.strip() or done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with a pip that knows lock files."""
    folder = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", "venv", folder=folder).returncode == 0
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = run(python, "-m", "pip", "install", "-q", "pip>=26.1", folder=folder)
    assert done.returncode == 0, done.stderr
    return python


def conda_lines(lock: Lock) -> str:
    """The requirements file that conda makes of the pip list."""
    return "\n".join(yaml.safe_load(conda.dumps(lock))["dependencies"][-1]["pip"])


@pytest.mark.parametrize(
    ("file", "dumps"),
    [
        ("pylock.toml", pylock.dumps),
        ("requirements.txt", requirements.dumps),
        ("condaenv.requirements.txt", conda_lines),
    ],
)
def test_pip_installs_it(environment: Path, tmp_path: Path, file: str, dumps: Callable[[Lock], str]) -> None:
    """`pip install -r` takes the lock, the requirements with their hashes, and what conda makes of its pip list."""
    (tmp_path / file).write_text(dumps(real_lock()), encoding="utf-8")
    done = run(environment, "-m", "pip", "install", "--force-reinstall", "-r", file, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert installed(environment, tmp_path) == "25.0 1.17.0"


def test_pip_refuses_a_wrong_hash(environment: Path, tmp_path: Path) -> None:
    """The hashes in the lock are looked at."""
    (tmp_path / "pylock.toml").write_text(pylock.dumps(real_lock()).replace("29572ef2", "00000000"), encoding="utf-8")
    done = run(
        environment, "-m", "pip", "install", "--no-cache-dir", "--force-reinstall", "-r", "pylock.toml", folder=tmp_path
    )
    assert done.returncode != 0
    assert "Expected sha256 00000000" in done.stderr


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not here")
def test_uv_installs_it(tmp_path: Path) -> None:
    """`uv pip sync` takes the lock."""
    assert run("uv", "venv", "-q", "--python", sys.executable, "venv", folder=tmp_path).returncode == 0
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    (tmp_path / "pylock.toml").write_text(pylock.dumps(real_lock()), encoding="utf-8")
    done = run("uv", "pip", "sync", "--python", python, "pylock.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert installed(python, tmp_path) == "25.0 1.17.0"
