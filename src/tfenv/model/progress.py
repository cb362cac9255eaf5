"""How work under way is told to whoever shows it; nothing below `cli` prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of steps; safe to call from several threads."""

    def start(self, task: str, total: int | None = None) -> None:
        """A task begins, or its total becomes known (units are the task's: files, bytes, candidates)."""
        ...

    def advance(self, task: str, amount: int = 1) -> None:
        """So much more of the task is done."""
        ...

    def finish(self, task: str) -> None:
        """The task is over."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, task: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, task: str, amount: int = 1) -> None:
        """Ignore it."""

    def finish(self, task: str) -> None:
        """Ignore it."""
