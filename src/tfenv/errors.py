"""Everything that can go wrong, as one tree; each class has its own exit code.

::

    TfenvError             70  a fault of tfenv itself, made by the boundary of the command line
    ├── NotWorking          1  the answer of `check`, `doctor`, `infer` is "broken"
    ├── UsageError          2  wrong usage, or an input file with faults
    ├── NoSolution          3  no set of packages and hardware satisfies the request
    ├── IndexUnavailable    4  an index or the network does not answer as it should
    ├── EngineError         5  the container engine is missing or failed
    ├── SmokeFailed         6  a level of the smoke ladder failed
    ├── GpuNotTried         7  smoke passed, but there was no GPU to try
    ├── LockOutdated        8  the lock is not what the request asks for
    ├── IntegrityError      9  a file is not the file its hash names
    └── HostError          10  this host does not do what was asked: an installer fails, a disk is full or read-only

Errors hold what happened; the sentence is made once, in ``message``. ``hint`` says what to do.
"""

from __future__ import annotations

from typing import ClassVar


class TfenvError(Exception):
    """Root of all errors; one of no other class is a fault of tfenv itself.

    Attributes:
        exit_code: what the process exits with, unique to each class.
        code: a stable kebab-case name for scripts (`--json`).
        message: what happened and why; one line, or a chain of lines.
        hint: what to do about it, if that is known.
    """

    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotWorking(TfenvError):
    """What was asked about does not work."""

    exit_code = 1
    code = "broken"


class UsageError(TfenvError):
    """The command line or an input file is wrong; `faults` lists all of them, each with its dotted path."""

    exit_code = 2
    code = "usage"

    def __init__(self, message: str, *, hint: str | None = None, faults: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join((message, *(f"  {fault}" for fault in faults))), hint=hint)
        self.faults = faults


class NoSolution(TfenvError):
    """Nothing satisfies the request."""

    exit_code = 3
    code = "no-solution"


class IndexUnavailable(TfenvError):
    """A package index (or another HTTP service) did not answer as it should."""

    exit_code = 4
    code = "index"


class EngineError(TfenvError):
    """The container engine is missing, or a build or run in it failed."""

    exit_code = 5
    code = "engine"


class SmokeFailed(TfenvError):
    """A level of the smoke ladder failed."""

    exit_code = 6
    code = "smoke-failed"


class GpuNotTried(TfenvError):
    """Everything that could be tried passed, but no GPU was there."""

    exit_code = 7
    code = "gpu-not-tried"


class LockOutdated(TfenvError):
    """The lock on disk is not what the request asks for now."""

    exit_code = 8
    code = "lock-outdated"


class IntegrityError(TfenvError):
    """A downloaded file does not have the hash that was promised."""

    exit_code = 9
    code = "integrity"


class HostError(TfenvError):
    """This host does not do what was asked of it: an installer fails, a file cannot be written."""

    exit_code = 10
    code = "host"
