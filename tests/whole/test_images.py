"""lock, build, smoke: a CPU image that passes everything, and a CUDA image that passes all that needs no GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.base_image import DEBIAN_PYTHON, base_image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.index, pytest.mark.engine]

PASSED, NOT_TRIED = "passed", "not tried"


def tfenv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in an empty folder."""
    command = [sys.executable, "-c", "from tfenv.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=3000)


def prove(folder: Path, *request: str) -> tuple[int, dict[str, Any], str]:
    """Lock, build and smoke; the exit code and the report of the last."""
    locked = tfenv(folder, "lock", "--python", DEBIAN_PYTHON, *request)
    assert locked.returncode == 0, locked.stderr
    tag = f"tfenv-test/whole:{folder.name.lower()}"
    built = tfenv(folder, "build", "--base-image", base_image(), "--tag", tag, "--json")
    assert built.returncode == 0, built.stdout + built.stderr
    again = tfenv(folder, "build", "--base-image", base_image(), "--tag", tag, "--json")
    assert json.loads(again.stdout)["built"] is False
    proven = tfenv(folder, "smoke", tag, "--json")
    assert proven.stdout, proven.stderr
    return proven.returncode, json.loads(proven.stdout), tag


def outcomes(report: dict[str, Any]) -> list[str]:
    return [level["outcome"] for level in report["levels"]]


def test_cpu_image(tmp_path: Path) -> None:
    """The newest TensorFlow for the CPU passes every level in its image."""
    code, report, tag = prove(tmp_path, "--gpu", "none")
    assert outcomes(report) == [PASSED] * 6, report
    assert code == 0
    subprocess.run(["docker", "image", "rm", "--force", tag], capture_output=True, check=True)


def test_cuda_image(tmp_path: Path) -> None:
    """The newest TensorFlow with the whole CUDA stack opens all its libraries; the GPU part ends with 7."""
    code, report, tag = prove(tmp_path, "--gpu", "cuda12")
    assert outcomes(report) == [PASSED] * 4 + [NOT_TRIED] * 2, report
    assert code == 7
    subprocess.run(["docker", "image", "rm", "--force", tag], capture_output=True, check=True)
