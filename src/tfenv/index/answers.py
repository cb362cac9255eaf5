"""Whether to accept the response of a server, to try again, or to give up."""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_PATIENCE, _SLOWEST = 20.0, 512
"""seconds, and bytes a second on average that must have come after them"""
_FRAMING = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})

HINT_NETWORK = (
    "check the network and HTTPS_PROXY; use another index with `--index-url URL`, or only the cache with `--offline`"
)


class Interrupted(Exception):
    """A temporary failure; `after` is the number of seconds that the server asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def judge(url: str, response: httpx.Response) -> None:
    """Raise an error unless the status of a response is useful.

    Raises:
        Interrupted: the failure is temporary.
        IndexUnavailable: the failure is permanent.
    """
    status = response.status_code
    if status in (200, 206, 304, 404, 410, 416):
        return
    if status in _RETRIED:
        raise Interrupted(f"it answered {status}", _retry_after(response.headers.get("Retry-After", "")))
    if status in (401, 403):
        from tfenv.index.credentials import variable

        raise IndexUnavailable(
            f"{url} answered {status}: authentication required or rejected",
            hint=f"put user and password into the index URL, {variable(url)}=user:password, or ~/.netrc",
        )
    raise IndexUnavailable(f"{url} answered {status}", hint=HINT_NETWORK)


def words(error: BaseException) -> str:
    """The reason of a failed connection: the message of an error, or the name of its class in words."""
    text = str(error).strip() or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return text if len(text) < 300 else text[:300] + "…"


def _retry_after(text: str) -> float:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); 0 if absent or unreadable."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    from datetime import datetime

    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return 0.0


def content_range(response: httpx.Response) -> tuple[int, int, int] | None:
    """Start, stop (exclusive) and length of the file; ``None`` if the response is not partial."""
    match = re.fullmatch(
        r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", response.headers.get("Content-Range", "").strip()
    )
    if response.status_code != 206 or match is None:
        return None
    return (int(match[1]), int(match[2]) + 1, int(match[3]))


async def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in pieces, as they arrive."""
    pace = _Pace(str(response.url))
    async for piece in response.aiter_bytes():
        pace.check(len(piece))
        yield piece


class _Pace:
    """The speed of a transfer: one that never pauses long enough to count as silent must end too."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._began = time.monotonic()
        self._length = 0

    def check(self, length: int) -> None:
        """Count the bytes of a piece.

        Raises:
            IndexUnavailable: on average, fewer than 512 bytes a second have come for 20 seconds.
        """
        self._length += length
        if (seconds := time.monotonic() - self._began) > _PATIENCE and self._length < _SLOWEST * seconds:
            raise IndexUnavailable(f"{self._url} sent {self._length} bytes in {seconds:.0f} s", hint=HINT_NETWORK)


async def content(response: httpx.Response, limit: int) -> bytes:
    """The whole body.

    Raises:
        IndexUnavailable: the body is longer than `limit` bytes, or comes too slowly.
    """
    found, length = [], 0
    async for piece in pieces(response):
        found.append(piece)
        length += len(piece)
        if length > limit:
            raise IndexUnavailable(f"{response.url} sends more than {limit} bytes")
    return found[0] if len(found) == 1 else b"".join(found)


def complete(response: httpx.Response, body: bytes) -> httpx.Response:
    """The same response with its body, which is decoded already, so headers about its encoding are removed."""
    from tfenv.index.http import httpx

    # as bytes: a header may have characters that httpx does not encode again
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _FRAMING]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)
