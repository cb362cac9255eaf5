"""A log of any length, from any tool, comes out as plain text of bounded size."""

from __future__ import annotations

import json
from io import BytesIO
from typing import BinaryIO

import pytest

from tfenv.inputs.log import condensed
from tfenv.inputs.log.lines import plain, unwrapped

LINE = "E tensorflow/x.cc:1] failed call to cuInit"


@pytest.mark.parametrize(
    "raw",
    [
        f"\x1b[31m{LINE}\x1b[0m",
        f"\x1b]0;title\x07{LINE}",
        f"2025-02-01T09:00:00.123456789Z stderr F {LINE}",
        f"2025-02-01T09:00:00.1234567Z {LINE}",
        f"trainer-1  | {LINE}",
        f"Feb  1 09:00:00 node7 docker[4242]: {LINE}",
        f"[pod/train-0/main] 2025-02-01T09:00:00Z {LINE}",
        f"##[error]{LINE}",
        json.dumps({"log": f"{LINE}\n", "stream": "stderr", "time": "2025-02-01T09:00:00Z"}),
        json.dumps({"severity": "ERROR", "jsonPayload": {"message": LINE}}),
        f"\u202e{LINE}\x00\x9b",
    ],
)
def test_wrappers(raw: str) -> None:
    """Colours, control characters, and what container tools and CI put around a line, are taken off."""
    assert plain(raw) == LINE


def test_no_wrapper() -> None:
    """Lines that only look wrapped stay as they are."""
    for line in (
        "|   0  NVIDIA A100          On   |",
        '{"a": 1}',
        "{'log': 'x'}",
        "2021-01-20 11:02:01.331: I tensorflow/x",
    ):
        assert plain(line) == line


def test_progress_bars() -> None:
    """A carriage return ends a line."""
    assert plain("1/10 [>...]\r2/10 [=>..]\r\nKilled").splitlines() == ["1/10 [>...]", "2/10 [=>..]", "Killed"]


def test_json_with_several_lines() -> None:
    """A traceback in one JSON value becomes as many lines as it has."""
    assert plain(json.dumps({"message": "Traceback\n  File\nValueError: x"})).count("\n") == 2


def test_wrapped_lines() -> None:
    """A line that goes on indented is joined."""
    assert unwrapped("a\n    b\nc") == "a b\nc"


def test_utf_16() -> None:
    """PowerShell's encoding is read."""
    assert condensed(BytesIO(LINE.encode("utf-16"))) == LINE


class _Endless(BytesIO):
    """A stream that repeats a block without holding it more than once."""

    def __init__(self, block: bytes, times: int) -> None:
        super().__init__()
        self._block, self._left = block, times

    def read(self, _size: int | None = -1, /) -> bytes:
        """The next block."""
        self._left -= 1
        return self._block if self._left >= 0 else b""


@pytest.mark.parametrize(
    "block", [b"x" * 65536, b"Epoch 1: 10%\r" * 5000, b"ERROR: failed\n" * 4000, bytes(range(256)) * 256]
)
def test_bounded(block: bytes) -> None:
    """Of a log of any length not more than two megabytes are kept."""
    stream: BinaryIO = _Endless(block, 40)
    assert len(condensed(stream)) < 2_000_000


def test_the_middle() -> None:
    """An error in the middle of a long log is kept, once for each of its kind."""
    noise = b"step 12345 loss 0.125 accuracy 0.5\n" * 40_000
    text = condensed(BytesIO(noise + LINE.encode() + b"\n" + LINE.encode() + b"\n" + noise))
    assert text.count(LINE) == 1
    assert len(text) < 1_000_000


def test_binary_noise() -> None:
    """Bytes that are no text leave no control characters."""
    text = condensed(BytesIO(bytes(range(256)) * 100))
    assert all(char.isprintable() or char in "\n\t" for char in text)
