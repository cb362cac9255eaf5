"""Detection on recorded hosts, through a stub of NVIDIA's library, and on the machine the tests run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.recorded_host import RecordedHost
from tfenv.machine import processor
from tfenv.machine.detect import detect, is_wsl, load_nvml
from tfenv.machine.host import ThisHost
from tfenv.model.hardware import driver_text

if TYPE_CHECKING:
    from tfenv.model.machine import Driver

HERE = Path(__file__).parent
HOSTS = sorted((HERE / "hosts").glob("*.toml"))


def _told(driver: Driver) -> str:
    return f"{driver_text(driver.version)} by {driver.seen_by}" + (f" for CUDA {driver.cuda}" if driver.cuda else "")


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_recorded_host(path: Path) -> None:
    """Each recorded host is seen as its file expects."""
    host = RecordedHost.load(path)
    machine = detect(host, nvml=host.nvml)
    driver = machine.driver
    seen = {
        "system": machine.system,
        "glibc": str(machine.glibc) if machine.glibc else None,
        "level": machine.level,
        "board": machine.board,
        "gpus": [f"{gpu.name} {gpu.capability or '?'}" for gpu in machine.gpus],
        "driver": _told(driver) if driver else None,
        "trouble": driver.trouble if driver else None,
        "libraries": [str(library.path) for library in machine.libraries],
        "engines": [f"{engine.name} {engine.version or '?'} {engine.gpu}" for engine in machine.engines],
        "unknown": list(machine.unknown),
    }
    expected = host.recording["expected"]
    assert {key: seen[key] for key in expected} == expected
    if "driver" not in expected:
        assert driver is None


def test_wsl_is_told_by_its_kernel() -> None:
    """Only the WSL recording is WSL."""
    assert [path.stem for path in HOSTS if is_wsl(RecordedHost.load(path))] == ["wsl"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_real_bindings_with_a_stub_library(tmp_path: Path) -> None:
    """The real NVML bindings, given a stub library, yield its GPU and its driver."""
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "stub_nvml.c"], check=True)
    code = (
        "from tfenv.machine.detect import load_nvml; from tfenv.machine.gpus import gpus;"
        "from tfenv.machine.host import ThisHost; print(gpus(ThisHost(), load_nvml()))"
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    for part in ("NVIDIA H100 80GB HBM3", "major=9, minor=0", "85899345920", "535.104.5", "12.2", "nvml"):
        assert part in done.stdout


def test_this_host() -> None:
    """Whatever runs the tests is looked at without an error, and has at least this interpreter."""
    machine = detect(nvml=load_nvml())
    assert machine.system
    assert machine.interpreters


def test_this_host_answers_nothing_for_what_is_not_there() -> None:
    """A file, a directory and a command that do not exist are nothing, not an error."""
    host = ThisHost()
    assert host.read("/no/such/file") is None
    assert host.list("/no/such/directory") == ()
    assert host.run("no-such-command-here") is None
    assert host.run("false") is None


def test_levels_and_names_of_processors() -> None:
    """A level and a microarchitecture stand for their features; an invented name for none."""
    assert "avx2" in processor.features_of("x86-64-v3")
    assert "avx512f" in processor.features_of("skylake_avx512")
    with pytest.raises(LookupError):
        processor.features_of("abacus")
