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
    """The ladder as it was climbed; it stops below the first level that makes the next meaningless."""

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
    """Something that works, but not as one would wish."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of `check`: works only when nothing relevant is missing or wrong."""

    answer: Answer
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Caution, ...] = ()
    unknown: tuple[str, ...] = ()
