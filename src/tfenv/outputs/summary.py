"""A lock in short: the document of `tfenv lock --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model.hardware import driver_text
from tfenv.outputs.tool import stack_table

if TYPE_CHECKING:
    from tfenv.model.lock import Lock


def document(lock: Lock) -> dict[str, object]:
    """The locked versions, the requirements on the machine, notes and warnings, as JSON values."""
    needs = lock.needs
    return {
        "tensorflow": str(lock.tensorflow.version),
        "distribution": lock.tensorflow.name,
        "python": str(lock.target.python),
        "stack": stack_table(lock.stack),
        "needs": {
            "driver": driver_text(needs.driver) if needs.driver else None,
            "sass": [str(architecture) for architecture in needs.sass],
            "ptx": [str(architecture) for architecture in needs.ptx],
            "drivers": {str(each): driver_text(driver) for each, driver in (() if lock.target.gpus else needs.drivers)},
            "glibc": str(needs.glibc) if needs.glibc else None,
            "cpu": list(needs.cpu),
        },
        "base_image": str(lock.base_image) if lock.base_image else None,
        "packages": {package.name: str(package.version) for package in lock.packages},
        "notes": list(lock.notes),
        "warnings": list(lock.warnings),
    }
