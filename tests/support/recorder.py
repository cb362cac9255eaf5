"""A `Progress` that remembers what it was told."""

from __future__ import annotations


class Recorder:
    """Totals and amounts by task, and which tasks are over."""

    def __init__(self) -> None:
        self.totals: dict[str, int | None] = {}
        self.done: dict[str, int] = {}
        self.finished: list[str] = []

    def start(self, task: str, total: int | None = None) -> None:
        """A task begins, or its total becomes known."""
        self.totals[task] = total

    def advance(self, task: str, amount: int = 1) -> None:
        """So much more is done."""
        self.done[task] = self.done.get(task, 0) + amount

    def finish(self, task: str) -> None:
        """The task is over."""
        self.finished.append(task)
