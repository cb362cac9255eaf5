"""What each release of TensorFlow asks of Python, CUDA, cuDNN, GPU and driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.facts.compat import rows
from tfenv.facts.database import load
from tfenv.inputs.request import release_specifier

if TYPE_CHECKING:
    from tfenv.facts.compat import CompatRow


def compat(spec: str | None = None) -> tuple[CompatRow, ...]:
    """The compatibility table, for Linux on x86-64.

    Args:
        spec: releases: `2.17` or a specifier; by default the newest patch of every minor.

    Raises:
        UsageError: the text is neither a version nor a specifier, or the database has no such release.
    """
    try:
        found = rows(load(), release_specifier(spec) if spec else None)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not found:
        raise UsageError(f"the database has no release `{spec}`", hint="`tfenv compat` lists the minors it has")
    return found
