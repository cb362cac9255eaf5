"""Event loops that work with libcurl: on Windows, Python's default loop cannot wait for a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

new = asyncio.SelectorEventLoop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=new) as runner:
        return runner.run(work)
