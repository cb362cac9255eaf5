"""tfenv: reproducible TensorFlow environments, for the wheels and for the machine.

::

    import tfenv

    locked = tfenv.lock(tfenv.Goal(target=tfenv.Target(accelerator=tfenv.Accelerator.CUDA, cuda_major=12)))
    print(locked.tensorflow.version, locked.stack.cudnn)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfenv.errors import TfenvError
    from tfenv.model.goal import Goal
    from tfenv.model.lock import Lock
    from tfenv.model.target import Accelerator, Platform, Target
    from tfenv.workflow.lock import lock

__version__ = "0.1.0"

__all__ = ["Accelerator", "Goal", "Lock", "Platform", "Target", "TfenvError", "__version__", "lock"]

_HOME = {
    "Accelerator": "tfenv.model.target",
    "Lock": "tfenv.model.lock",
    "Platform": "tfenv.model.target",
    "Goal": "tfenv.model.goal",
    "Target": "tfenv.model.target",
    "TfenvError": "tfenv.errors",
    "lock": "tfenv.workflow.lock",
}
"""where each public name is at home; it is fetched when it is first asked for"""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `tfenv` has no attribute `{name}`")
    return getattr(import_module(_HOME[name]), name)
