"""The search for changes that repair everything that is wrong, cheapest first; `check` and `lock` share it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from packaging.version import Version

from tfenv.check.steps import Alteration, Wrong, without_gpu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfenv.check.question import Question

MOST = 6
"""Changes that are shown at most."""

_ENOUGH: dict[tuple[str, ...], int] = {("python",): 3, ("cudnn",): 2}
"""Changes of one kind that are shown; of other kinds one."""

_OF_THE_RELEASE = frozenset({"gpu-too-old", "gpu-too-new"})
"""Problems that only another release of TensorFlow mends."""


class Examiner(Protocol):
    """What the search asks of a question that it changes."""

    def wrong(self, question: Question) -> Wrong:
        """What is wrong with it."""
        ...

    def steps(self, question: Question, wrong: Wrong) -> Iterable[Alteration]:
        """Single changes that may mend it."""
        ...

    def settled(self, step: Alteration, *, packages: bool = True) -> Alteration | None:
        """The change, solved as a whole; ``None`` if something is still wrong.

        Args:
            step: changes so far.
            packages: whether other packages may change with it.
        """
        ...


class Repairs:
    """One search.

    Args:
        question: what is to be repaired.
        wrong: what is wrong with it.
        examiner: judges and solves changed questions.
    """

    def __init__(self, question: Question, wrong: Wrong, examiner: Examiner) -> None:
        self._question = question
        self._wrong = wrong
        self._examiner = examiner
        self._kinds: Counter[tuple[str, ...]] = Counter()
        self._has_releases = False

    def found(self) -> list[Alteration]:
        """What repairs everything; if nothing does, what repairs it with the GPU given up."""
        return self.chosen(self._whole()) or self.chosen(self._on_the_cpu())

    def chosen(self, found: Iterable[Alteration]) -> list[Alteration]:
        """A few changes of each kind."""
        kept: list[Alteration] = []
        self._kinds.clear()
        for step in found:
            if self._has_enough(step):
                continue
            self._kinds[self._kind(step)] += 1
            kept.append(step)
            if len(kept) >= MOST:
                break
        return sorted(kept, key=_rank)

    def _whole(self) -> Iterator[Alteration]:
        """Steps after which nothing is wrong: packages alone, one change, then up to three."""
        start = Alteration(after=self._question)
        alone = self._examiner.settled(start)
        if alone is not None:
            yield alone
            if self._question.complete:
                return  # an environment is mended with what it takes, and no more
        failed, found = [], alone is not None
        singles = self._steps(self._question, self._wrong)
        self._has_releases = any("tf" in step.kinds for step in singles)
        for step in singles:
            if self._has_enough(step):
                continue
            # what packages alone mend needs no other change beside them
            settled = self._examiner.settled(step, packages=alone is None)
            if settled is not None:
                found = True
                yield settled
            else:
                failed.append(step)
        if found:
            return
        for step in failed:
            left = self._examiner.wrong(step.after)
            if self._wrong.is_within(left) and "tf" not in step.kinds:
                continue  # it mends nothing
            if (whole := self._further(step, left, 2)) is not None:
                yield whole

    def _further(self, step: Alteration, left: Wrong, more: int) -> Alteration | None:
        """The step with up to `more` others that mend what it leaves; ``None`` if they do not mend it all."""
        if left.codes & _OF_THE_RELEASE:
            return None
        parts: dict[frozenset[str], tuple[Alteration, Wrong]] = {}
        for second in self._steps(step.after, left):
            both = step.then(second)
            if second.kinds & step.kinds or self._has_enough(both):
                continue
            if "tf" in second.kinds and self._has_releases and "gpu" not in step.kinds:
                continue  # each release was the first of some changes already
            settled = self._examiner.settled(both)
            if settled is not None:
                return settled
            if more > 1 and second.kinds not in parts:
                rest = self._examiner.wrong(both.after)
                if rest.is_within(left) and not left.is_within(rest):
                    parts[second.kinds] = both, rest
        deeper = (self._further(part, rest, more - 1) for part, rest in parts.values())
        return next((whole for whole in deeper if whole is not None), None)

    def _on_the_cpu(self) -> Iterator[Alteration]:
        """The GPU given up, where nothing else mends everything."""
        if not self._question.accelerated:
            return
        step = without_gpu(self._question)
        whole = self._examiner.settled(step) or self._further(step, self._examiner.wrong(step.after), 2)
        if whole is not None:
            yield whole

    def _steps(self, question: Question, wrong: Wrong) -> list[Alteration]:
        return sorted(self._examiner.steps(question, wrong), key=_rank)

    def _kind(self, step: Alteration) -> tuple[str, ...]:
        """What changes; another TensorFlow may be a newer or an older one."""
        values = dict(step.values)
        kind = tuple(sorted(key for key in values if not key.startswith("packages.")))
        kind += tuple(sorted(word for word in step.kinds if word.startswith("request")))
        now = self._question.releases[0] if self._question.releases else None
        return (
            kind if "tf" not in values or now is None else (*kind, "newer" if Version(values["tf"]) > now else "older")
        )

    def _has_enough(self, step: Alteration) -> bool:
        """Whether as many of its kind are kept as are shown."""
        kind = self._kind(step)
        return self._kinds[kind] >= _ENOUGH.get(kind, 1)


def _rank(step: Alteration) -> tuple[int, bool]:
    """The cheapest first, and of equal ones those that keep the TensorFlow."""
    return step.cost, "tf" in step.kinds
