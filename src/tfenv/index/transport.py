"""What carries requests for httpx: reqwest, which speaks HTTP/2 and TLS outside Python's lock.

httpx's own transport, httpcore, takes four times the processor time for the same pages, and takes it from the resolver.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

# or httpx imports a command line of its own: rich, click and pygments, which take longer than all the rest of it
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402
from pyreqwest.client import ClientBuilder  # noqa: E402
from pyreqwest.exceptions import PyreqwestError  # noqa: E402

from tfenv.errors import UsageError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

_CONNECT = timedelta(seconds=15)
_STREAM_WINDOW, _CONNECTION_WINDOW = 2 * 2**20, 8 * 2**20
"""bytes under way before a server waits to be told that they arrived; pages are megabytes at times"""
_PIECE = 2**16
"""bytes of a body that are handed on at once; each time costs a turn of the event loop"""
_OWN = frozenset({b"connection", b"host"})
"""headers that belong to a connection, which only the transport knows"""


class Transport(httpx.AsyncBaseTransport):
    """A pool of connections that knows the system's certificate authorities and proxies.

    Bodies come decoded: nothing is left for httpx to decompress. What goes wrong on the way, also while a body is read,
    is an `httpx.TransportError` whose text is the cause at the bottom of it.

    Args:
        http2: one multiplexed connection a host, where the server can.
        silence: seconds without a byte before a request counts as failed.

    Raises:
        UsageError: SSL_CERT_FILE names something unreadable.
    """

    def __init__(self, *, http2: bool, silence: float) -> None:
        builder = (
            ClientBuilder()
            .http2(http2)
            .http2_initial_stream_window_size(_STREAM_WINDOW)
            .http2_initial_connection_window_size(_CONNECTION_WINDOW)
            .follow_redirects(False)
            .connect_timeout(_CONNECT)
            .read_timeout(timedelta(seconds=silence))
        )
        for authorities in _authorities():
            builder = builder.add_root_certificate_pem(authorities)
        self._client: Client = builder.build()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request that has no body."""
        headers = [(name.decode(), value.decode()) for name, value in request.headers.raw if name.lower() not in _OWN]
        asked = self._client.request(request.method, str(request.url)).headers(headers).build_streamed()
        try:
            answer = await asked.__aenter__()
        except PyreqwestError as error:
            raise _understood(error) from error
        return httpx.Response(answer.status, headers=list(answer.headers.items()), stream=_Body(asked, answer))

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, asked: StreamRequest, answer: Response) -> None:
        self._asked = asked
        self._reader = answer.body_reader

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._reader.read(_PIECE)) is not None:
                yield bytes(piece)
        except PyreqwestError as error:
            raise _understood(error) from error

    async def aclose(self) -> None:
        await self._asked.__aexit__(None, None, None)


def _understood(error: PyreqwestError) -> httpx.TransportError:
    """The reason is in the causes: reqwest tells the topmost error of a chain."""
    causes = (getattr(error, "details", None) or {}).get("causes") or []
    return httpx.TransportError(causes[-1]["message"] if causes else error.message)


def _authorities() -> list[bytes]:
    """Those of SSL_CERT_FILE, on every system: reqwest itself heeds it only where the system has no store."""
    named = os.environ.get("SSL_CERT_FILE")
    if not named:
        return []
    try:
        return [Path(named).read_bytes()]
    except OSError as error:
        raise UsageError(f"SSL_CERT_FILE names `{named}`, which cannot be read: {error}") from None
