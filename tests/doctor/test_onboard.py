"""The script that makes a machine ready: readable, clean under shellcheck, and harmless when run twice."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.recorded_host import RecordedHost
from tfenv.errors import EngineError, UsageError
from tfenv.machine.detect import detect
from tfenv.outputs.onboard import System, dumps, system_of
from tfenv.workflow.onboard import run, script

HOSTS = Path(__file__).parent.parent / "machine" / "hosts"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("system", list(System))
def test_shellcheck_finds_nothing(system: System, *, gpu: bool) -> None:
    """Every script is clean under shellcheck, as POSIX sh."""
    text = dumps(system, gpu=gpu)
    done = subprocess.run(
        ["shellcheck", "--shell=sh", "--exclude=SC1091", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert done.stdout == ""


@pytest.mark.parametrize("system", list(System))
def test_a_ready_machine_is_left_alone(system: System, tmp_path: Path) -> None:
    """Where everything is there already, nothing is installed: `sudo` is never called."""
    called = tmp_path / "called"
    for name, body in {
        "nvidia-smi": "exit 0",
        "docker": """echo '{"nvidia": {}}'""",
        "nvidia-ctk": "exit 0",
        "tfenv": f'echo "tfenv $*" >> {called}',
        "sudo": f'echo "sudo $*" >> {called}; exit 1',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-s"],
        input=dumps(system, gpu=True),
        text=True,
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert called.read_text(encoding="utf-8").splitlines() == ["tfenv lock --gpu auto", "tfenv build", "tfenv smoke"]


def test_the_system_is_told_by_its_name() -> None:
    """Distributions and their like by what they call themselves; others are not guessed."""
    assert system_of("Debian GNU/Linux 12 (bookworm)", wsl=False) is System.DEBIAN
    assert system_of("Ubuntu 24.04.1 LTS", wsl=False) is System.UBUNTU
    assert system_of("Rocky Linux 9.4 (Blue Onyx)", wsl=False) is System.RHEL
    assert system_of("Fedora Linux 41", wsl=False) is System.FEDORA
    assert system_of("Ubuntu 22.04.3 LTS under WSL", wsl=True) is System.WSL
    assert system_of("NixOS 24.05", wsl=False) is None


def test_script_for_a_recorded_machine() -> None:
    """A machine with a GPU gets the driver and the toolkit, one without does not."""
    with_gpu, without = (RecordedHost.load(HOSTS / f"{name}.toml") for name in ("one_gpu", "no_gpu"))
    assert "nvidia-ctk" in script(detect(with_gpu, nvml=with_gpu.nvml), system="ubuntu")
    assert "nvidia" not in script(detect(without, nvml=without.nvml), system="debian")


def test_unknown_systems_are_refused() -> None:
    """A distribution that no script is known for is an error that lists those that are."""
    with pytest.raises(UsageError) as caught:
        script(None, system="beos", gpu=True)
    assert "debian" in (caught.value.hint or "")
    with pytest.raises(UsageError):
        script(None, gpu=True)


def test_run_tells_a_failure() -> None:
    """A step that fails is an error with its exit code; one that works is not."""
    run("exit 0")
    with pytest.raises(EngineError, match="3"):
        run("exit 3")
