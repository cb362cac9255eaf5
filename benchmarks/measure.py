"""Time, processor time and memory of one run of a command."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STOPPED = 124
"""exit status of a run that took too long, the same as that of `timeout`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The cost of one run.

    Attributes:
        code: exit status.
        seconds: elapsed seconds.
        cpu: processor seconds, user and system, of the process and its children.
        memory: largest memory of one of these processes, in MB.
        output: end of the output.
    """

    code: int
    seconds: float
    cpu: float
    memory: float
    output: str


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], limit: float) -> Run:
    """Run a command; after `limit` seconds it is stopped, with the exit status `STOPPED`."""
    log = cwd / ".output"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
        code = None
        while code is None:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            seconds = time.perf_counter() - started
            if pid:
                code = os.waitstatus_to_exitcode(status)
            elif seconds > limit:
                process.kill()
                _, _, usage = os.wait4(process.pid, 0)
                code = STOPPED
            else:
                time.sleep(0.001 if seconds < 2 else 0.02)
        process.returncode = code
    return Run(
        code=code,
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
        output=log.read_text(errors="replace")[-2000:],
    )


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
