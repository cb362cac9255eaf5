"""Progress of running work, reported to the code that displays it; nothing below `cli` prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A receiver of progress; safe to call from several threads."""

    def start(self, task: str, total: int | None = None) -> None:
        """Start a task, or set its total; the unit depends on the task (files, bytes, candidates)."""
        ...

    def advance(self, task: str, amount: int = 1) -> None:
        """Add to the finished amount of the task."""
        ...

    def finish(self, task: str) -> None:
        """Finish the task."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, task: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, task: str, amount: int = 1) -> None:
        """Ignore it."""

    def finish(self, task: str) -> None:
        """Ignore it."""
