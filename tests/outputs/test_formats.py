"""Locks that other versions of tfenv wrote: `formats/N.toml` is one in format N, and is never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfenv.errors import UsageError
from tfenv.outputs import pylock
from tfenv.outputs.request import inputs_digest
from tfenv.outputs.tool import FORMAT

LOCKS = {int(path.stem): path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "formats").iterdir()}


def test_every_format_has_a_lock() -> None:
    """A new format comes with a lock in it, and those of the older ones stay."""
    assert sorted(LOCKS) == list(range(1, FORMAT + 1))


@pytest.mark.parametrize("number", LOCKS)
def test_every_format_is_read(number: int) -> None:
    """A lock of any format can be read, and written again without loss."""
    lock = pylock.loads(LOCKS[number])
    assert lock.packages
    assert lock.request.indexes
    assert pylock.loads(pylock.dumps(lock)) == lock
    assert inputs_digest(pylock.loads(pylock.dumps(lock)).request) == inputs_digest(lock.request)


def test_a_format_of_a_newer_tfenv() -> None:
    """A lock in a format that is not known yet is refused with what to do."""
    newer = LOCKS[FORMAT].replace(f"format = {FORMAT}", f"format = {FORMAT + 1}")
    with pytest.raises(UsageError, match=rf"in format {FORMAT + 1} .* reads formats up to {FORMAT}") as caught:
        pylock.loads(newer)
    assert "update tfenv" in str(caught.value.hint)
