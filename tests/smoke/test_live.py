"""The five environments that must be caught, made for real and broken for real; and old releases that must pass."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.smoke.environments import lock_of
from tests.support.pythons import python_of
from tfenv.model.report import Outcome, Report
from tfenv.smoke.run import interpreter, probe
from tfenv.store.cache import Cache
from tfenv.venv import loader
from tfenv.venv.sync import site_packages
from tfenv.workflow.smoke import smoke

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from tfenv.model.lock import Lock

pytestmark = [pytest.mark.slow, pytest.mark.index, pytest.mark.interpreters]

P, F, N = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED
STACK_TF = "2.17.1"


class Environment:
    """A virtual environment made by uv, and the lock of what was in it while it was whole."""

    def __init__(self, directory: Path, python: str, *requirements: str) -> None:
        uv = shutil.which("uv")
        if uv is None:
            pytest.skip("uv is not installed here")
        made_by = python_of(python)
        self.uv = uv
        self.directory = directory
        subprocess.run([uv, "venv", "-q", "-p", str(made_by), str(directory)], check=True)
        self.pip("install", *requirements)

    def pip(self, verb: str, *arguments: str) -> None:
        """Change it behind the lock's back."""
        subprocess.run([self.uv, "pip", verb, "-q", "-p", str(self.directory), *arguments], check=True)

    def lock(self) -> Lock:
        """Of what it holds now."""
        from tfenv.smoke import exchange

        output, _ = probe(interpreter(self.directory), json.dumps({"levels": [0, 1, 2], "distributions": []}))
        return lock_of(exchange.read(output))

    def smoke(self, lock: Lock) -> Report:
        """Prove it."""
        return smoke(lock, venv=self.directory, cache=Cache(self.directory / "no-cache"))


def outcomes(report: Report) -> list[Outcome]:
    return [level.outcome for level in report.levels]


def test_numpy_2_under_2_14(tmp_path: Path) -> None:
    """Numpy 2 is named at level 0, and as the cause at level 1."""
    environment = Environment(tmp_path / "venv", "3.11", "tensorflow-cpu==2.14.0", "numpy<2")
    lock = environment.lock()
    assert outcomes(environment.smoke(lock)) == [P] * 6
    environment.pip("install", "--no-deps", "numpy==2.1.0")
    report = environment.smoke(lock)
    assert outcomes(report) == [F, F, N, N, N, N]
    assert report.levels[0].detail == f"numpy 2.1.0 is installed, but the lock has {version(lock, 'numpy')}"
    assert report.levels[1].detail == f"because {report.levels[0].detail}"


def test_protobuf_6_under_2_9(tmp_path: Path) -> None:
    """Protobuf 6 is named at level 0, and as the cause at level 1."""
    environment = Environment(tmp_path / "venv", "3.10", "tensorflow-cpu==2.9.3", "protobuf<3.20", "numpy<2")
    lock = environment.lock()
    assert outcomes(environment.smoke(lock)) == [P] * 6
    environment.pip("install", "--no-deps", "protobuf==6.33.0")
    report = environment.smoke(lock)
    assert outcomes(report) == [F, F, N, N, N, N]
    assert (
        report.levels[1].detail == f"because protobuf 6.33.0 is installed, but the lock has {version(lock, 'protobuf')}"
    )


def version(lock: Lock, name: str) -> Version:
    package = lock.package(name)
    assert package is not None
    return package.version


def test_cuda_environments(tmp_path: Path) -> None:
    """A whole CUDA stack opens; without cuDNN, with another, and with the CPU wheel it does not pass for whole."""
    environment = Environment(tmp_path / "venv", "3.11", f"tensorflow[and-cuda]=={STACK_TF}")
    lock = environment.lock()
    whole = environment.smoke(lock)
    assert outcomes(whole)[:4] == [P] * 4

    # TensorFlow alone does not find its NCCL; with what `sync` writes it does
    assert any("libnccl" in finding for finding in whole.levels[3].findings)
    loader.write(lock, site_packages(environment.directory))
    assert environment.smoke(lock).levels[3].findings == ()

    environment.pip("uninstall", "nvidia-cudnn-cu12")
    report = environment.smoke(lock)
    assert (report.levels[0].outcome, report.levels[3].outcome) == (F, F)
    assert report.levels[0].detail == "nvidia-cudnn-cu12 8.9.7.29 is locked but not installed"
    assert report.levels[3].detail.startswith("TensorFlow cannot open libcudnn: nvidia-cudnn-cu12 8.9.7.29 is locked")

    environment.pip("install", "--no-deps", "nvidia-cudnn-cu12==9.3.0.75")
    report = environment.smoke(lock)
    assert (report.levels[0].outcome, report.levels[3].outcome) == (F, F)
    assert report.levels[3].detail == f"cuDNN 9 (9.3.0) is installed, but TensorFlow {STACK_TF} was compiled for 8"

    environment.pip("install", "--no-deps", "nvidia-cudnn-cu12==8.9.7.29")
    environment.pip("uninstall", "tensorflow")
    environment.pip("install", "--no-deps", f"tensorflow-cpu=={STACK_TF}")
    report = environment.smoke(lock)
    assert (report.levels[0].outcome, report.levels[2].outcome) == (F, F)
    assert report.levels[0].detail.startswith(f"the CPU wheel tensorflow-cpu {STACK_TF} is installed under a lock that")
    assert report.levels[2].detail.endswith("it would silently run on the CPU")


@pytest.mark.parametrize(
    ("python", "requirements", "skipped"),
    [
        ("3.7", ("tensorflow-cpu==1.15.0", "protobuf<3.21", "h5py<3"), "XLA, mixed precision, .keras, SavedModel"),
        ("3.8", ("tensorflow-cpu==2.4.4", "protobuf<3.21"), ".keras"),
        ("3.10", ("tensorflow-cpu==2.10.1", "protobuf<3.20", "numpy<2"), ".keras"),
        ("3.12", ("tensorflow-cpu==2.21.0",), ""),
    ],
)
def test_releases_of_every_age(tmp_path: Path, python: str, requirements: tuple[str, ...], skipped: str) -> None:
    """The probe climbs all levels in 1.x, with Keras 2 and with Keras 3, and names what a release does not have."""
    environment = Environment(tmp_path / "venv", python, *requirements)
    report = environment.smoke(environment.lock())
    assert outcomes(report) == [P] * 6
    assert report.levels[5].detail.partition("this release has no ")[2] == skipped
