"""What is sent to the probe, and how its answer is found in its output."""

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
"""Code for `python -I -c` that runs the probe from standard input; its one argument are the options."""

Document = dict[str, Any]
"""The answer of the probe; `probe.py` documents its keys."""


def source() -> str:
    """The text of the probe."""
    return resources.files("tfenv.smoke").joinpath("probe.py").read_text(encoding="utf-8")


def options(lock: Lock, *, seconds: int = 300) -> str:
    """The options of the probe for a lock, as JSON. They have no versions, so that the answer cannot be a verdict.

    Args:
        lock: lock that the environment should match.
        seconds: time limit of one step in seconds; a step that takes longer counts as hung.
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
    """The answer in the output of the probe, which may have output of libraries around it.

    Raises:
        ValueError: the output does not contain a complete answer.
    """
    start, end = output.rfind(MARK), output.rfind(END)
    if start < 0 or end < start:
        tail = " ".join(output.split())[-300:]
        raise ValueError(f"the probe gave no answer; its output ends with: {tail or '(nothing)'}")
    return cast("Document", json.loads(output[start + len(MARK) : end]))
