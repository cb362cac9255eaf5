"""What an environment does when TensorFlow is imported in it: where XLA is told to find libdevice."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.locks import cpu_lock
from tfenv.model.lock import Origin, Stack
from tfenv.venv import loader

if TYPE_CHECKING:
    from pathlib import Path


def flags(site: Path, before: str = "") -> str:
    """`XLA_FLAGS` as TensorFlow sees it there."""
    (site / "tensorflow.py").write_text("import os\nprint(os.environ.get('XLA_FLAGS', ''))\n", encoding="utf-8")
    code = f"import site; site.addsitedir({str(site)!r}); import tensorflow"
    environment = {**os.environ, "XLA_FLAGS": before}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return ran.stdout.strip()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "--xla_gpu_cuda_data_dir={}"),
        ("--xla_dump_to=x", "--xla_dump_to=x --xla_gpu_cuda_data_dir={}"),
        ("--xla_gpu_cuda_data_dir=/opt/cuda", "--xla_gpu_cuda_data_dir=/opt/cuda"),
    ],
)
def test_xla_is_told_where_libdevice_is(tmp_path: Path, before: str, after: str) -> None:
    """The folder of the locked wheel is added to the flags; what the user says stands."""
    loader.write(replace(cpu_lock(), environment=(), stack=Stack(origin=Origin.WHEELS, cuda=Version("11.8"))), tmp_path)
    nvcc = tmp_path / "nvidia" / "cuda_nvcc"
    (nvcc / "nvvm").mkdir(parents=True)
    assert flags(tmp_path, before) == after.format(nvcc)


def test_xla_is_told_nothing_without_the_wheel(tmp_path: Path) -> None:
    """Without libdevice the flags stay as they are."""
    loader.write(replace(cpu_lock(), environment=(), stack=Stack(origin=Origin.WHEELS, cuda=Version("11.8"))), tmp_path)
    assert flags(tmp_path) == ""
