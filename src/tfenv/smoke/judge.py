"""Compares the answer of the probe with the lock, level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model.report import Level, Outcome, Report
from tfenv.model.target import Accelerator
from tfenv.smoke import level_computed, level_imported, level_installed, level_libraries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfenv.model.lock import Lock
    from tfenv.smoke.exchange import Document

TITLES = (
    "installed is what is locked",
    "import",
    "build is what the facts say",
    "CUDA libraries open, and are ours",
    "matmul float32, float16",
    "conv, fit, XLA, save and load",
)


def judge(lock: Lock, document: Document, *, subject: str, contents: Mapping[str, str] | None = None) -> Report:
    """Judge the answer of the probe.

    A wrong installation (level 0) does not stop the test, because the levels above show its consequences. A failed
    import does.

    Args:
        lock: lock that the environment should match.
        document: answer of the probe.
        subject: description of the environment, for the report.
        contents: digest of RECORD, as the probe computes it, of each package whose locked wheel could be read.
    """
    wanted = lock.target.accelerator is Accelerator.CUDA
    levels = [level_installed.judge(lock, document, contents or {}, TITLES[0])]
    levels.append(level_imported.judge_import(document, levels[0].findings, TITLES[1]))
    if levels[1].outcome is Outcome.FAILED:
        reason = "TensorFlow cannot be imported"
        levels += [
            Level(number=number, title=TITLES[number], outcome=Outcome.NOT_TRIED, detail=reason)
            for number in range(2, 6)
        ]
        return Report(subject=subject, levels=tuple(levels), gpu_wanted=wanted, gpu_tried=False)
    levels.append(level_imported.judge_build(lock, document, TITLES[2]))
    levels.append(level_libraries.judge(lock, document, TITLES[3]))
    levels.append(level_computed.judge_matmul(document, TITLES[4], gpu_wanted=wanted))
    levels.append(level_computed.judge_training(document, TITLES[5], gpu_wanted=wanted))
    return Report(
        subject=subject,
        levels=tuple(levels),
        gpu_wanted=wanted,
        gpu_tried=wanted and level_computed.tried_on_gpu(document),
    )
