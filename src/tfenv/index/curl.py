"""libcurl as a transport of httpx: the extra `fast`."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import TYPE_CHECKING

import pycurl

from tfenv.index.http import httpx
from tfenv.machine import network

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CONNECT = 15_000
"""milliseconds"""
_BUFFER = 2**18
_AHEAD = 2**22
"""bytes of a body that may wait to be read before the server has to"""
_HOST_CONNECTIONS = 16
_SUPPRESS_CONNECT_HEADERS = 265
"""an option that pycurl has no name for: what a proxy answers is not the answer (`curl/curl.h`)"""
_OWN = frozenset({b"connection", b"host"})
"""headers that belong to a connection, which only libcurl knows"""
_DECODED = frozenset({b"content-encoding", b"content-length"})
"""headers that are not true of a body any more that libcurl decompressed"""


class Transport(httpx.AsyncBaseTransport):
    """A pool of connections that knows the proxies and the certificate authorities of the system; for GET requests.

    Bodies come decompressed. What goes wrong on the way, also while a body is read, is an `httpx.TransportError`. It
    belongs to one event loop, which must be a selector's (`tfenv.index.loop`).

    Args:
        http2: one multiplexed connection a host, where the server can.
        silence: seconds without a byte before a request counts as failed.

    Raises:
        UsageError: SSL_CERT_FILE names something unreadable.
    """

    def __init__(self, *, http2: bool, silence: float) -> None:
        self._http2 = http2
        self._silence = silence
        self._authorities = _authorities()
        self._proxies = network.Proxies()
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, _HOST_CONNECTIONS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and wait for the headers of its answer."""
        exchange = _Exchange(self._handle(request), self._multi, self._silence)
        try:
            await exchange.begin()
        except BaseException:
            await exchange.aclose()
            raise
        decoded = "accept-encoding" not in request.headers
        headers = [(name, value) for name, value in exchange.headers if not (decoded and name.lower() in _DECODED)]
        return httpx.Response(exchange.status, headers=headers, stream=exchange)

    async def aclose(self) -> None:
        """End all connections."""
        await self._multi.aclose()

    def _handle(self, request: httpx.Request) -> pycurl.Curl:
        curl, url = pycurl.Curl(), request.url
        curl.setopt(pycurl.URL, str(url))
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        version = pycurl.CURL_HTTP_VERSION_2TLS if self._http2 else pycurl.CURL_HTTP_VERSION_1_1
        curl.setopt(pycurl.HTTP_VERSION, version)
        curl.setopt(pycurl.PIPEWAIT, int(self._http2))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, _CONNECT)
        curl.setopt(pycurl.BUFFERSIZE, _BUFFER)
        for option, value in self._authorities:
            curl.setopt(option, value)
        curl.setopt(pycurl.PROXY, self._proxies.of(url.scheme, url.netloc.decode()) or "")
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
        if "accept-encoding" not in request.headers:
            curl.setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        lines = [b"%b: %b" % (name, value) for name, value in request.headers.raw if name.lower() not in _OWN]
        curl.setopt(pycurl.HTTPHEADER, lines)
        return curl


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, whose body is read while it comes."""

    def __init__(self, curl: pycurl.Curl, multi: pycurl.AsyncCurlMulti, silence: float) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._curl = curl
        self._multi = multi
        self._silence = silence
        self._begun = False
        self._paused = False
        self._came: deque[bytes] = deque()
        self._length = 0
        self._news = asyncio.Event()
        curl.setopt(pycurl.HEADERFUNCTION, self._header)
        curl.setopt(pycurl.WRITEFUNCTION, self._write)
        self._done = multi.add_handle(curl)
        self._done.add_done_callback(self._end)

    async def begin(self) -> None:
        while not (self._begun or self._done.done()):
            await self._wait()
        self._check()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._came or not self._done.done():
            if not self._came:
                await self._wait()
                continue
            piece = self._came.popleft()
            self._length -= len(piece)
            if self._paused and self._length < _AHEAD // 2:
                self._paused = False
                self._curl.pause(pycurl.PAUSE_CONT)
            yield piece
        self._check()

    async def aclose(self) -> None:
        if not self._done.done():
            self._multi.remove_handle(self._curl)
        self._curl.close()

    async def _wait(self) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(self._silence):
                await self._news.wait()
        except TimeoutError:
            raise httpx.ReadTimeout(f"nothing came for {self._silence:g} seconds") from None

    def _check(self) -> None:
        """Raise what ended the transfer, if that is known yet."""
        if not self._done.done() or self._done.cancelled():
            return
        error = self._done.exception()
        if isinstance(error, pycurl.error):
            raise httpx.TransportError(str(error.args[1])) from error

    def _end(self, _: object) -> None:
        self._news.set()

    def _header(self, line: bytes) -> None:
        """Libcurl calls this for each line; answers before the last one (100, 103) are forgotten."""
        if line.startswith(b"HTTP/"):
            self.status = int(line.split(None, 2)[1])
            self.headers.clear()
        elif name_and_value := line.strip():
            name, _, value = name_and_value.partition(b":")
            if not self._begun:
                self.headers.append((name, value.strip()))
        elif self.status >= 200:
            self._begun = True
            self._news.set()

    def _write(self, piece: bytes) -> int | None:
        if self._length > _AHEAD:
            self._paused = True
            return int(pycurl.WRITEFUNC_PAUSE)
        self._came.append(piece)
        self._length += len(piece)
        self._news.set()
        return None


def _authorities() -> list[tuple[int, str | int]]:
    """Options that name the certificate authorities: libcurl comes with its wheel and does not know the system's."""
    options: list[tuple[int, str | int]] = [(pycurl.CAINFO, network.authority_file())]
    if folder := network.authority_folder():
        options.append((pycurl.CAPATH, folder))
    if sys.platform != "linux":
        options.append((pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA))
    return options
