"""Event loops that libcurl can wait in: on Windows, Python's usual one cannot wait for a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

new = asyncio.SelectorEventLoop


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=new) as runner:
        return runner.run(work)
