"""The report of `smoke`, level by level, and the verdict of `check` and `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of one level of the smoke ladder."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the smoke ladder.

    Attributes:
        number: number of the level, 0 to 5.
        title: name of the test.
        outcome: failed if any part failed; not tried if its main part could not be tried (no GPU).
        detail: one line: results with their figures, or the reason why it failed or was not tried.
        findings: further lines, one fault with its reason each.
    """

    number: int
    title: str
    outcome: Outcome
    detail: str = ""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The levels of a smoke test; they end with the first failure that makes the next level meaningless.

    Attributes:
        subject: image, environment or interpreter that was tried.
        levels: levels in the order in which they were tried.
        gpu_wanted: whether the lock is for a GPU.
        gpu_tried: whether a GPU was available.
    """

    subject: str
    levels: tuple[Level, ...]
    gpu_wanted: bool
    gpu_tried: bool

    @property
    def failed(self) -> bool:
        """Whether a level failed."""
        return any(level.outcome is Outcome.FAILED for level in self.levels)


class Answer(StrEnum):
    """Conclusion of `check` and `doctor`."""

    WORKS = "works"
    BROKEN = "broken"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that repairs a problem, checked by the same rules before it is shown.

    Attributes:
        change: new value by configuration key, such as `2.13.1` by `tf`; the key of a package is `packages.NAME`. Empty
            if the fix does not change versions.
        command: command that makes the change.
        cost: cost for comparison with other fixes; lower is cheaper.
        solved: whether the resolver found a lock with it; ``False`` also if the resolver was not run.
        says: what the lock has, in one clause; empty if it was not solved.
    """

    change: tuple[tuple[str, str], ...]
    command: str
    cost: int
    solved: bool = False
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem and its reasons.

    Attributes:
        code: code of the problem, such as `driver-too-old`.
        subject: thing that it is about (`H100`, `numpy`).
        because: chain of reasons, root cause last.
        sources: wheel, row or URL for each reason.
        fixes: fixes, cheapest first.
    """

    code: str
    subject: str
    because: tuple[str, ...]
    sources: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """A drawback of a combination that works.

    Attributes:
        code: kebab-case name for scripts, such as `ptx-jit`.
        message: drawback and its reason.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of `check`.

    Attributes:
        answer: conclusion; `works` only if everything relevant is known and there is no problem.
        problems: problems, in the order in which they occur.
        warnings: drawbacks.
        unknown: facts that are needed for a conclusion but not known, one line each.
    """

    answer: Answer
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Caution, ...] = ()
    unknown: tuple[str, ...] = ()
