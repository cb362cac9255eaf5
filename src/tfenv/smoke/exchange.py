"""The two ends of a probe: what it is sent, and how its answer is found in what it printed."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from tfenv.model.lock import Lock

MARK = "@@tfenv-probe-begin@@"
END = "@@tfenv-probe-end@@"

BOOTSTRAP = "import sys;SOURCE=sys.stdin.read();exec(compile(SOURCE,'tfenv-probe','exec'))"
"""Given to `python -I -c`, it runs the probe that comes in over standard input; the options are its one argument."""

Document = dict[str, Any]
"""What the probe answers; `probe.py` says what is in it."""


def source() -> str:
    """The probe itself, as text."""
    return resources.files("tfenv.smoke").joinpath("probe.py").read_text(encoding="utf-8")


def options(lock: Lock, *, seconds: int = 300) -> str:
    """What the probe should try for this lock, as JSON: names only, so that its answer cannot be a verdict.

    Args:
        lock: what should be installed.
        seconds: how long one step may take before it counts as hung.
    """
    return json.dumps(
        {
            "device": "gpu" if lock.target.accelerator is Accelerator.CUDA else "cpu",
            "distributions": [package.name for package in lock.packages],
            "environment": [name for name, _ in lock.environment],
            "seconds": seconds,
        }
    )


def read(output: str) -> Document:
    """The document in what the probe printed, whatever libraries printed around it.

    Raises:
        ValueError: there is no whole document in it.
    """
    start, end = output.rfind(MARK), output.rfind(END)
    if start < 0 or end < start:
        tail = " ".join(output.split())[-300:]
        raise ValueError(f"the probe gave no answer; it said: {tail or '(nothing)'}")
    return cast("Document", json.loads(output[start + len(MARK) : end]))
