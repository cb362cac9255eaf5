"""L3: can every CUDA library be opened, and is it the locked file?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tfenv.model.lock import Origin
from tfenv.model.report import Level, Outcome
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.model.lock import Lock
    from tfenv.smoke.exchange import Document

_OPTIONAL = {"nccl": "several GPUs together", "cupti": "the profiler"}
"""Libraries that TensorFlow can do without, and the feature that needs them.

TensorFlow opens all others while it searches for GPUs, and uses no GPU if one is missing (`TryDlopenCUDALibraries` in
tsl/platform/default/dso_loader.cc).
"""

_DRIVERS = re.compile(r"lib(?:cuda|nvidia-ml)\.so\.1")
"""Libraries of the driver, which some libraries of cuDNN are linked against.

Example: libcudnn_engines_runtime_compiled of 9.28.
"""


def judge(lock: Lock, document: Document, title: str) -> Level:
    """Compare the libraries that were opened with the locked versions."""
    if lock.target.accelerator is not Accelerator.CUDA:
        return Level(number=3, title=title, outcome=Outcome.PASSED, detail="none in this lock (CPU)")
    level = document.get("libraries")
    if level is None:
        return Level(
            number=3, title=title, outcome=Outcome.NOT_TRIED, detail="loaded libraries can be listed only on Linux"
        )
    steps: dict[str, dict[str, Any]] = level["steps"]
    asked = {name.partition(" ")[2]: step for name, step in steps.items() if name.startswith("asked ")}
    brought = {name.partition(" ")[2]: step for name, step in steps.items() if name.startswith("brought ")}
    if not asked and not brought:
        begun = (steps.get(name, {}).get("reason") for name in ("prepare", "load"))
        reason = next(filter(None, begun), "this build of TensorFlow has no CUDA and opens no CUDA library")
        return Level(number=3, title=title, outcome=Outcome.FAILED, detail=reason, findings=(reason,))
    faults: list[str] = []
    remarks: list[str] = []
    for library, step in asked.items():
        if step["outcome"] == "skipped":
            continue
        found = [*_asked(lock, library, step, brought)]
        if library in _OPTIONAL:
            remarks += [f"{line} (only {_OPTIONAL[library]} needs it)" for line in found]
        else:
            faults += found
    faults += [*_versions(lock, asked, brought)]
    for name, step in brought.items():
        if step["outcome"] == "done":
            continue
        if document.get("driver") is None and _DRIVERS.search(step.get("reason", "")):
            remarks.append(f"{name} was not tried: it can be opened only where an NVIDIA driver is installed")
        else:
            faults.append(f"{name} of a locked wheel cannot be opened: {step.get('reason', step['outcome'])}")
    if faults:
        return Level(
            number=3, title=title, outcome=Outcome.FAILED, detail=faults[0], findings=(*dict.fromkeys(faults), *remarks)
        )
    files = {step["file"] for step in (*asked.values(), *brought.values()) if step["outcome"] == "done"}
    cudnn = _version_of("cudnn", asked, brought)
    detail = f"{len(files)} libraries" + (f", cuDNN {cudnn}" if cudnn else "")
    return Level(number=3, title=title, outcome=Outcome.PASSED, detail=detail, findings=tuple(remarks))


def _asked(
    lock: Lock, library: str, step: Mapping[str, Any], brought: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """The faults of a library that TensorFlow opens."""
    if step["outcome"] != "done":
        if library == "cudnn" and (reason := _other_cudnn(lock, brought)):
            yield reason
            return
        here = [name for name in brought if name.startswith(f"lib{library}.so")]
        if step["outcome"] in ("crashed", "hung"):
            yield f"lib{library} cannot be opened: {step['reason']}"
        elif here:
            yield f"TensorFlow does not find {here[0]}, although it is installed: it is not on the loader's path"
        else:
            yield f"TensorFlow cannot open lib{library}: {_absent(lock, library)}"
    elif lock.stack.origin is Origin.WHEELS and (step["owner"] is None or lock.package(step["owner"]) is None):
        yield f"lib{library} is {step['file']}, which is not a file of the lock"


def _absent(lock: Lock, library: str) -> str:
    """Which locked wheel should contain a library."""
    hint = {"cudart": "cuda-runtime", "cublasLt": "cublas"}.get(library, library)
    for package in lock.packages:
        if package.name.startswith("nvidia-") and hint in package.name:
            return f"{package.name} {package.version} is locked, but does not contain it"
    return "neither a locked package nor the system has it"


def _other_cudnn(lock: Lock, brought: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The fault if the installed cuDNN has another major version than the one TensorFlow was compiled for."""
    found = _version_of("cudnn", {}, brought)
    if found is None or lock.build is None or lock.build.cudnn is None or found.major == lock.build.cudnn.major:
        return None
    tensorflow = f"TensorFlow {lock.tensorflow.version}"
    return f"cuDNN {found.major} ({found}) is installed, but {tensorflow} was compiled for {lock.build.cudnn.major}"


def _versions(
    lock: Lock, asked: Mapping[str, Mapping[str, Any]], brought: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """The faults in versions that the libraries report, compared with the lock and with TensorFlow's build."""
    cudnn = _version_of("cudnn", asked, {})
    built = lock.build.cudnn if lock.build is not None else None
    if cudnn is not None and built is not None and cudnn.major != built.major:
        yield f"cuDNN {cudnn.major} is loaded, but TensorFlow {lock.tensorflow.version} was compiled for {built.major}"
    cudnn = _version_of("cudnn", asked, brought)
    for name, here, locked in (
        ("cuDNN", cudnn, lock.stack.cudnn),
        ("CUDA runtime", _version_of("cudart", asked, brought), lock.stack.cuda),
        ("NCCL", _version_of("nccl", asked, brought), lock.stack.nccl),
    ):
        if here is None or locked is None:
            continue
        length = min(len(here.release), len(locked.release))
        if here.release[:length] != locked.release[:length]:
            yield f"{name} reports version {here}, but the lock has {locked}"


def _version_of(
    library: str, asked: Mapping[str, Mapping[str, Any]], brought: Mapping[str, Mapping[str, Any]]
) -> Version | None:
    """The version that a library reports: the library that TensorFlow opened, or else the one in a wheel."""
    steps = [asked.get(library, {}), *(step for name, step in brought.items() if name.startswith(f"lib{library}.so"))]
    text = next((step["version"] for step in steps if step.get("version")), None)
    return Version(text) if text else None
