"""`tfenv onboard`: the script that prepares a machine."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tfenv.errors import EngineError, UsageError
from tfenv.machine.detect import detect, load_nvml
from tfenv.model.progress import Progress, Silent
from tfenv.model.target import Platform
from tfenv.outputs.onboard import System, dumps, system_of

if TYPE_CHECKING:
    from tfenv.model.inventory import Inventory


def onboard(system: str | None = None, *, gpu: bool | None = None, progress: Progress | None = None) -> str:
    """The script that prepares a machine: driver, containers with GPUs, first lock, image, smoke test.

    Args:
        system: `debian`, `ubuntu`, `fedora`, `rhel` or `wsl`; by default the one of this machine.
        gpu: whether there is an NVIDIA GPU; by default as on this machine.
        progress: reports work under way.

    Raises:
        UsageError: the distribution is not known.
    """
    machine, reporter = None, progress or Silent()
    if system is None or gpu is None:
        reporter.start("looking at this machine")
        machine = detect(nvml=load_nvml())
        reporter.finish("looking at this machine")
    return script(machine, system=system, gpu=gpu)


def script(machine: Inventory | None, *, system: str | None = None, gpu: bool | None = None) -> str:
    """The script for a machine.

    Args:
        machine: the machine; ``None`` if both other arguments are given.
        system: distribution; by default the machine's.
        gpu: whether there is an NVIDIA GPU; by default as on the machine.

    Raises:
        UsageError: the distribution is not known.
    """
    known = ", ".join(each.value for each in System)
    if system is not None:
        if system.lower() not in {each.value for each in System}:
            raise UsageError(f"there is no script for `{system}`", hint=f"use one of {known}")
        chosen: System | None = System(system.lower())
    else:
        chosen = None if machine is None else system_of(machine.system, wsl=machine.platform is Platform.WSL)
    if chosen is None:
        named = f"`{machine.system}`" if machine is not None else "this machine"
        raise UsageError(f"there is no script for {named}", hint=f"use `--system` with the most similar of {known}")
    if gpu is None:
        gpu = machine is not None and any(device.vendor == "nvidia" for device in machine.gpus)
    return dumps(chosen, gpu=gpu)


def run(text: str) -> None:
    """Run a script and show its output as it comes.

    Raises:
        EngineError: a step failed.
    """
    done = subprocess.run(["sh", "-s"], input=text, text=True, check=False)
    if done.returncode != 0:
        raise EngineError(
            f"the script ended with exit code {done.returncode}",
            hint="its last lines show where; correct the cause and run it again",
        )
