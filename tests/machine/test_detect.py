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
    from tfenv.model.inventory import Driver

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
        "platform": str(machine.platform),
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
    """Only the recordings of WSL are WSL."""
    assert [path.stem for path in HOSTS if is_wsl(RecordedHost.load(path))] == ["wsl", "wsl_smi"]


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library that answers like NVIDIA's."""
    if shutil.which("cc") is None:
        if os.environ.get("CI"):
            pytest.fail("no C compiler here", pytrace=False)
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, HERE / "stub_nvml.c"], check=True)
    return folder


def _through_the_bindings(stub: Path, kind: str) -> str:
    code = (
        "from tfenv.machine.detect import load_nvml; from tfenv.machine.devices import gpus;"
        "from tests.support.recorded_host import RecordedHost; print(gpus(RecordedHost({}), load_nvml()))"
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": str(stub), "STUB_NVML": kind}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("", ("NVIDIA H100 80GB HBM3", "major=9, minor=0", "85899345920", "535.104.5", "12.2", "nvml", "trouble=None")),
        ("two", ("NVIDIA A100-SXM4-40GB", "major=8, minor=0", "Tesla T4", "major=7, minor=5", "trouble=None")),
        ("lost", ("NVIDIA A100-SXM4-40GB", "GPU 1 does not answer", "GPU is lost")),
        ("none", ("535.104.5", "it finds no GPU")),
        ("mismatch", ("((), None)",)),
    ],
)
def test_real_bindings_with_a_stub_library(stub: Path, kind: str, parts: tuple[str, ...]) -> None:
    """The real NVML bindings, given a stub library, yield its GPUs, its driver, and its errors."""
    seen = _through_the_bindings(stub, kind)
    for part in parts:
        assert part in seen


def test_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests is looked at without an error, and has at least this interpreter."""
    for name in ("HOME", "PYENV_ROOT"):  # other interpreters are not asked: each takes a fifth of a second
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", f"{sys.base_prefix}/bin:/usr/sbin:/sbin")
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
