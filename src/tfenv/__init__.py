"""tfenv: reproducible TensorFlow environments, for the wheels and for the machine.

`import tfenv` is the same program as the command `tfenv`: each command calls one of these functions.

::

    import tfenv

    locked = tfenv.lock(tfenv.Request(gpus=["V100"], tf="2.15"))
    print(locked.tensorflow.version, locked.stack.cudnn)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfenv.errors import TfenvError
    from tfenv.inputs.request import Request
    from tfenv.model.lock import Lock
    from tfenv.model.target import Accelerator, Platform, Target
    from tfenv.workflow.lock.service import Locked, check_lock, lock, lock_targets

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "Lock",
    "Locked",
    "Platform",
    "Request",
    "Target",
    "TfenvError",
    "__version__",
    "check_lock",
    "lock",
    "lock_targets",
]

_HOME = {
    "Accelerator": "tfenv.model.target",
    "Lock": "tfenv.model.lock",
    "Locked": "tfenv.workflow.lock.service",
    "Platform": "tfenv.model.target",
    "Request": "tfenv.inputs.request",
    "Target": "tfenv.model.target",
    "TfenvError": "tfenv.errors",
    "check_lock": "tfenv.workflow.lock.service",
    "lock": "tfenv.workflow.lock.service",
    "lock_targets": "tfenv.workflow.lock.service",
}
"""Module of each public name, imported when the name is first used."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `tfenv` has no attribute `{name}`")
    return getattr(import_module(_HOME[name]), name)
