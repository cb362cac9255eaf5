"""The profile of a machine: a file with a target, for which another machine can lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.inputs.accelerators import gpus_of, read_devices
from tfenv.model.target import Accelerator, Machine, Target
from tfenv.outputs import profile
from tfenv.store import files

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.model.inventory import Inventory

_INSTRUCTIONS = re.compile(r"avx\w*|sse\w*|ssse3|fma|f16c|bmi[12]|popcnt|asimd\w*|sve\w*")


def machine_of(inventory: Inventory) -> Machine:
    """What `check` has to know of a machine."""
    return Machine(
        platform=inventory.platform,
        foreign=None if inventory.platform is not None else inventory.system,
        gpus=read_devices(inventory.gpus),
        driver=inventory.driver.version if inventory.driver is not None else None,
        glibc=inventory.glibc,
        cpu=inventory.cpu or None,
    )


def target_of(inventory: Inventory) -> Target:
    """The target that describes a machine.

    Raises:
        UsageError: TensorFlow has no wheels for it, or the capability of a GPU is not known.
    """
    machine = machine_of(inventory)
    if machine.platform is None:
        raise UsageError(f"TensorFlow has no wheels for {machine.foreign}, so there is nothing to lock for it")
    gpus = gpus_of(inventory.gpus)
    return Target(
        platform=machine.platform,
        accelerator=Accelerator.CUDA if gpus else Accelerator.NONE,
        gpus=gpus,
        driver=machine.driver,
        glibc=machine.glibc if machine.platform.is_linux else None,
        cpu=None if machine.cpu is None else frozenset(filter(_INSTRUCTIONS.fullmatch, machine.cpu)),
    )


def save(inventory: Inventory, path: Path, *, force: bool = False) -> None:
    """Write the profile of a machine.

    Raises:
        UsageError: as in `target_of`, or a file that tfenv did not write is in the way.
    """
    files.write({path: profile.dumps(target_of(inventory))}, force=force)


def read_profile(path: Path) -> Target:
    """The target in a file that `tfenv doctor --save` wrote.

    Raises:
        UsageError: it cannot be read, or has faults.
    """
    return profile.loads(files.read(path), path.name)
