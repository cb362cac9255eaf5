"""L4 and L5: are computations correct, on the device of the lock?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfenv.model.report import Level, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.smoke.exchange import Document

_TOLERANCE = {"matmul float32": 1e-4, "matmul float16": 2e-2, "Conv2D": 1e-4, "XLA": 1e-4}
"""Largest error relative to the largest value, compared with the same sums in float64.

Sums of 256 products lose about sqrt(256) units in the last place (2⁻²⁴ and 2⁻¹¹) if the accumulator is as wide as the
values, so both bounds leave an order of magnitude. TensorFloat-32 (2⁻¹¹) in `Conv2D` of cuDNN stays below because the
sums of the probe are small.
"""

_TF32_TOLERANCE = 5e-3
"""Largest error on a GPU, where convolutions may round to the 10 bits of TensorFloat-32.

Source: NVIDIA, "TensorFloat-32 in the A100".
"""

_SAVED_TOLERANCE = 1e-5

_COMPLAINTS = re.compile(
    r"jit-compiled from PTX|could not (?:load|open) (?:dynamic )?(?:library|symbol)|cannot dlopen|"
    r"Failed to load .*\.so|libdevice not found|can't find libdevice",
    re.IGNORECASE,
)
"""Lines of the log that show that a GPU is not used, or not used well."""

_EXCUSED = re.compile(r"libnvinfer|TensorRT", re.IGNORECASE)
"""Lines that are ignored: TensorRT is optional, and every build that could use it reports it as missing."""


def tried_on_gpu(document: Document) -> bool:
    """Whether the matrix products of level 4 ran on a GPU."""
    steps = document.get("compute", {}).get("steps", {})
    return any("GPU" in str(step.get("device", "")) for step in steps.values())


def judge_matmul(document: Document, title: str, *, gpu_wanted: bool) -> Level:
    """Judge the matrix products (L4)."""
    steps = document["compute"]["steps"]
    wanted = {name: step for name, step in steps.items() if name.startswith("matmul ")}
    figures = ", ".join(
        f"{name.partition(' ')[2]} {_figures(step)}" for name, step in wanted.items() if "error" in step
    )
    return _level(4, title, document, document["compute"], wanted, figures, gpu_wanted=gpu_wanted)


def _figures(step: Mapping[str, Any]) -> str:
    error = f"max error {step['error']:.0e}".replace("e-0", "e-")
    return f"{error}, {step['gflops']:.3g} GFLOP/s"


def judge_training(document: Document, title: str, *, gpu_wanted: bool) -> Level:
    """Judge convolution, training, XLA, saving and loading (L5)."""
    level = document["train"]
    steps = {name: step for name, step in level["steps"].items() if name not in ("load", "prepare")}
    skipped = [name for name, step in steps.items() if step["outcome"] == "skipped"]
    done = len(steps) - len(skipped)
    figures = f"{done} parts" + (f"; this release has no {', '.join(skipped)}" if skipped else "")
    return _level(5, title, document, level, steps, figures, gpu_wanted=gpu_wanted)


def _level(
    number: int,
    title: str,
    document: Document,
    level: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
    figures: str,
    *,
    gpu_wanted: bool,
) -> Level:
    on_gpu = tried_on_gpu(document)
    findings = [fault for name, step in steps.items() for fault in _step(name, step, on_gpu=on_gpu)]
    if not steps:
        begun = (level["steps"].get(name, {}).get("reason") for name in ("prepare", "load"))
        findings.append(str(next(filter(None, begun), "nothing was computed")))
    findings += _complaints(str(level.get("log", "")), gpu_wanted=gpu_wanted, on_gpu=on_gpu)
    absent = _absent(document) if gpu_wanted and not on_gpu else None
    if absent is not None and absent.startswith("TensorFlow"):
        findings.insert(0, absent)
    if findings:
        return Level(number=number, title=title, outcome=Outcome.FAILED, detail=findings[0], findings=tuple(findings))
    if absent is not None:
        detail = f"on GPU: {absent} (CPU passed, {figures})"
        return Level(number=number, title=title, outcome=Outcome.NOT_TRIED, detail=detail)
    device = "GPU" if on_gpu else "CPU"
    return Level(number=number, title=title, outcome=Outcome.PASSED, detail=f"{device}, {figures}")


def _step(name: str, step: Mapping[str, Any], *, on_gpu: bool) -> Iterator[str]:
    """The faults of one step."""
    if step["outcome"] == "skipped":
        return
    if step["outcome"] != "done":
        yield f"{name} {'fails' if step['outcome'] == 'error' else step['outcome']}: {step.get('reason', '')}"
        return
    if "device" in step and on_gpu and "GPU" not in step["device"]:
        yield f"{name} ran on {step['device']} instead of the GPU"
    if "error" in step:
        bound = _TOLERANCE.get(name, _SAVED_TOLERANCE)
        if on_gpu and name not in ("matmul float32", "matmul float16"):
            bound = max(bound, _TF32_TOLERANCE)
        # written so that NaN is a fault too
        if not step["error"] <= bound:
            yield f"{name} has an error of {step['error']:.1e}, more than {bound:.0e}"
    if "loss" in step:
        before, after = step["loss"]
        if not after < before:
            yield f"{name} does not learn: the loss went from {before:.3f} to {after:.3f}"


def _absent(document: Document) -> str | None:
    """Why no GPU was used: a fault if the text begins with `TensorFlow`, otherwise a fact about the host."""
    driver = document.get("driver")
    if driver is None:
        return "no NVIDIA driver here"
    if driver["init"] != 0 or driver["gpus"] == 0:
        return f"the NVIDIA driver here finds no GPU (cuInit returns {driver['init']})"
    version = driver.get("version") or f"for CUDA {driver['cuda']}"
    return f"TensorFlow finds no GPU, although the driver {version} finds {driver['gpus']}"


def _complaints(log: str, *, gpu_wanted: bool, on_gpu: bool) -> list[str]:
    """Lines of the log that show a fault which the results do not."""
    if not gpu_wanted:
        # a build with CUDA searches for libraries that an environment without GPU does not need
        return []
    found = []
    for line in log.splitlines():
        if not _COMPLAINTS.search(line) or _EXCUSED.search(line):
            continue
        if not on_gpu and ("libcuda.so" in line or "nvcuda" in line):
            continue
        text = line.split("] ", 1)[-1].strip()
        found.append(f"in the log: {text[:200]}")
    return list(dict.fromkeys(found))[:5]
