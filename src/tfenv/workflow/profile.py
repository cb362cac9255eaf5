"""The profile of a machine: a file with a target, for which another machine can lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.inputs.accelerators import gpus_of
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.outputs import profile
from tfenv.store import files

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.machine import Machine

_INSTRUCTIONS = re.compile(r"avx\w*|sse\w*|ssse3|fma|f16c|bmi[12]|popcnt|asimd\w*|sve\w*")


def target_of(machine: Machine) -> Target:
    """The target that describes a machine.

    Raises:
        UsageError: TensorFlow has no wheels for it, or the capability of a GPU is not known.
    """
    if machine.platform is None:
        raise UsageError(f"TensorFlow has no wheels for {machine.system}, so there is nothing to lock for it")
    gpus = gpus_of(machine.gpus)
    linux = machine.platform in (Platform.LINUX_X86_64, Platform.LINUX_AARCH64, Platform.WSL)
    return Target(
        platform=machine.platform,
        accelerator=Accelerator.CUDA if gpus else Accelerator.NONE,
        gpus=gpus,
        driver=machine.driver.version if machine.driver is not None else None,
        glibc=machine.glibc if linux else None,
        cpu=frozenset(filter(_INSTRUCTIONS.fullmatch, machine.cpu)) if machine.cpu else None,
    )


def save(machine: Machine, path: Path, *, force: bool = False) -> None:
    """Write the profile of a machine.

    Raises:
        UsageError: as in `target_of`, or a file that tfenv did not write is in the way.
    """
    files.write({path: profile.dumps(target_of(machine))}, force=force)


def read_profile(path: Path) -> Target:
    """The target in a file that `tfenv doctor --save` wrote.

    Raises:
        UsageError: it cannot be read, or has faults.
    """
    return profile.loads(files.read(path), path.name)
