"""Progress bars, by rich; imported only when there is a terminal to draw on."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Bars:
    """A `tfenv.model.progress.Progress` that shows each task as a line until it is done."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def start(self, task: str, total: int | None = None) -> None:
        with self._lock:
            if task in self._tasks:
                self._shown.update(self._tasks[task], total=total)
            else:
                self._tasks[task] = self._shown.add_task(task, total=total)

    def advance(self, task: str, amount: int = 1) -> None:
        with self._lock:
            if task in self._tasks:
                self._shown.advance(self._tasks[task], amount)

    def finish(self, task: str) -> None:
        with self._lock:
            if (known := self._tasks.pop(task, None)) is not None:
                self._shown.remove_task(known)


@contextmanager
def bars() -> Iterator[_Bars]:
    """Draw on standard error until the block ends."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        yield _Bars(shown)
