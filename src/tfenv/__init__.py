"""tfenv: reproducible TensorFlow environments, for the wheels and for the machine.

`import tfenv` is the same program as the command `tfenv`: each command parses its options and calls one function.

::

    import tfenv

    locked = tfenv.lock(tfenv.Request(gpus=["V100"], tf="2.15"))
    print(locked.tensorflow.version, locked.stack.cudnn)

Functions take plain values and return frozen objects. Everything that goes wrong is a `TfenvError`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfenv.errors import (
        EngineError,
        GpuNotTried,
        HostError,
        IndexUnavailable,
        IntegrityError,
        LockOutdated,
        NoSolution,
        NotWorking,
        SmokeFailed,
        TfenvError,
        UsageError,
    )
    from tfenv.image.engine import Engine, HeldImage
    from tfenv.inputs.configuration import Known
    from tfenv.inputs.request import Request
    from tfenv.model.builds import Build, CompileFlags, Kernels, Xla
    from tfenv.model.goal import Goal
    from tfenv.model.hardware import Architecture, ComputeCapability, Gpu
    from tfenv.model.inferred import Finding, Inferred
    from tfenv.model.inventory import (
        ContainerEngine,
        Driver,
        GpuDevice,
        Installed,
        Interpreter,
        Inventory,
        LibraryOnPath,
    )
    from tfenv.model.lock import BaseImage, HeldBack, Lock, LockedPackage, Needs, Origin, Stack
    from tfenv.model.package import File, Requirement
    from tfenv.model.progress import Progress
    from tfenv.model.report import Answer, Caution, Fix, Level, Outcome, Problem, Report, Verdict
    from tfenv.model.target import Accelerator, Machine, Platform, Target
    from tfenv.store.cache import Cache
    from tfenv.venv.sync import Plan
    from tfenv.workflow.build import Built, Form, build, publish
    from tfenv.workflow.check import check
    from tfenv.workflow.doctor import Diagnosis, Runs, doctor
    from tfenv.workflow.infer import infer
    from tfenv.workflow.lock.job import Locked, LockInputs
    from tfenv.workflow.lock.service import LockOptions, check_lock, lock, lock_targets
    from tfenv.workflow.render import render
    from tfenv.workflow.smoke import smoke
    from tfenv.workflow.sync import sync
    from tfenv.workflow.why import Why, why

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "Answer",
    "Architecture",
    "BaseImage",
    "Build",
    "Built",
    "Cache",
    "Caution",
    "CompileFlags",
    "ComputeCapability",
    "ContainerEngine",
    "Diagnosis",
    "Driver",
    "Engine",
    "EngineError",
    "File",
    "Finding",
    "Fix",
    "Form",
    "Goal",
    "Gpu",
    "GpuDevice",
    "GpuNotTried",
    "HeldBack",
    "HeldImage",
    "HostError",
    "IndexUnavailable",
    "Inferred",
    "Installed",
    "IntegrityError",
    "Interpreter",
    "Inventory",
    "Kernels",
    "Known",
    "Level",
    "LibraryOnPath",
    "Lock",
    "LockInputs",
    "LockOptions",
    "LockOutdated",
    "Locked",
    "LockedPackage",
    "Machine",
    "Needs",
    "NoSolution",
    "NotWorking",
    "Origin",
    "Outcome",
    "Plan",
    "Platform",
    "Problem",
    "Progress",
    "Report",
    "Request",
    "Requirement",
    "Runs",
    "SmokeFailed",
    "Stack",
    "Target",
    "TfenvError",
    "UsageError",
    "Verdict",
    "Why",
    "Xla",
    "__version__",
    "build",
    "check",
    "check_lock",
    "doctor",
    "infer",
    "lock",
    "lock_targets",
    "publish",
    "render",
    "smoke",
    "sync",
    "why",
]

_HOMES = {
    "tfenv.errors": (
        "EngineError GpuNotTried HostError IndexUnavailable IntegrityError LockOutdated NoSolution "
        "NotWorking SmokeFailed TfenvError UsageError"
    ),
    "tfenv.image.engine": "Engine HeldImage",
    "tfenv.inputs.configuration": "Known",
    "tfenv.inputs.request": "Request",
    "tfenv.model.builds": "Build CompileFlags Kernels Xla",
    "tfenv.model.goal": "Goal",
    "tfenv.model.hardware": "Architecture ComputeCapability Gpu",
    "tfenv.model.inferred": "Finding Inferred",
    "tfenv.model.lock": "BaseImage HeldBack Lock LockedPackage Needs Origin Stack",
    "tfenv.model.inventory": "ContainerEngine Driver GpuDevice Installed Interpreter Inventory LibraryOnPath",
    "tfenv.model.package": "File Requirement",
    "tfenv.model.progress": "Progress",
    "tfenv.model.report": "Answer Caution Fix Level Outcome Problem Report Verdict",
    "tfenv.model.target": "Accelerator Machine Platform Target",
    "tfenv.store.cache": "Cache",
    "tfenv.venv.sync": "Plan",
    "tfenv.workflow.build": "Built Form build publish",
    "tfenv.workflow.check": "check",
    "tfenv.workflow.doctor": "Diagnosis Runs doctor",
    "tfenv.workflow.infer": "infer",
    "tfenv.workflow.lock.job": "LockInputs Locked",
    "tfenv.workflow.lock.service": "LockOptions check_lock lock lock_targets",
    "tfenv.workflow.render": "render",
    "tfenv.workflow.smoke": "smoke",
    "tfenv.workflow.sync": "sync",
    "tfenv.workflow.why": "Why why",
}
"""Modules of the public names; one is imported when a name of it is first used."""

_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `tfenv` has no attribute `{name}`")
    return getattr(import_module(_HOME[name]), name)


class _Package(ModuleType):
    """Keeps public names: the import of a room such as `tfenv.check` would put it in the place of the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
