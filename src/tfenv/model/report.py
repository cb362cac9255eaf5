"""What `smoke` found, level by level, and what `check` and `doctor` conclude."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of one level of the smoke ladder."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One rung of the ladder.

    Attributes:
        number: 0 to 5.
        title: what was tried.
        outcome: failed if anything in it failed; not tried if its point could not be tried (no GPU).
        detail: one line: what passed, with its figures, or why it failed or was not tried.
        findings: further lines, each one fault and its reason.
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
        levels: in the order of trying.
        gpu_wanted: whether the lock is for a GPU.
        gpu_tried: whether a GPU was there to compute on.
    """

    subject: str
    levels: tuple[Level, ...]
    gpu_wanted: bool
    gpu_tried: bool

    @property
    def failed(self) -> bool:
        """Did any level fail?"""
        return any(level.outcome is Outcome.FAILED for level in self.levels)


class Answer(StrEnum):
    """Of `check` and `doctor`."""

    WORKS = "works"
    BROKEN = "broken"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that repairs, checked by the same rules before it is shown.

    Attributes:
        change: configuration key to new value, such as `tf` to `2.13.1`; a package is `packages.NAME`. Empty where
            the repair is no change of versions.
        command: that does it.
        cost: lower is cheaper.
        solved: did the resolver find a lock for it? ``False`` too if it was not asked.
    """

    change: tuple[tuple[str, str], ...]
    command: str
    cost: int
    solved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that does not work, and why.

    Attributes:
        code: from the contract, such as `driver-too-old`.
        subject: what it is about (`H100`, `numpy`).
        because: the chain of reasons, first cause last.
        sources: wheel, row or URL for each reason.
        fixes: cheapest first.
    """

    code: str
    subject: str
    because: tuple[str, ...]
    sources: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something that works with a drawback.

    Attributes:
        code: kebab-case name for scripts, such as `ptx-jit`.
        message: the drawback and its reason.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of `check`.

    Attributes:
        answer: `works` only if everything that decides is known and nothing is wrong.
        problems: what does not work, the one that breaks first before the others.
        warnings: what works with a drawback.
        unknown: what would have to be known to decide, one line each.
    """

    answer: Answer
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Caution, ...] = ()
    unknown: tuple[str, ...] = ()
