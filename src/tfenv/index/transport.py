"""The transport of requests: libcurl if it is installed, otherwise httpx's own.

libcurl (the extra `fast`) handles HTTP/2, TLS and gzip outside Python's lock. httpx's own transport needs nine times
the processor time for the same pages, which the resolver then lacks, but runs wherever Python does: pycurl has no
wheels for musl or for glibc before 2.28.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.index.http import httpx
from tfenv.machine import network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_CONNECT = 15.0
"""time limit of a connection attempt, in seconds"""
_CONNECTIONS = 32


def transport(*, http2: bool, silence: float) -> httpx.AsyncBaseTransport:
    """The best transport for GET requests that is installed.

    Args:
        http2: whether to use one multiplexed connection per host, if the server and libcurl support it.
        silence: seconds without a byte after which a request counts as failed.

    Raises:
        UsageError: SSL_CERT_FILE names a file that cannot be read.
    """
    try:
        import pycurl
    except ImportError:
        return Plain(silence=silence)
    if not hasattr(pycurl, "AsyncCurlMulti"):  # before 7.49
        return Plain(silence=silence)
    from tfenv.index.curl import Transport

    return Transport(http2=http2, silence=silence)


class Plain(httpx.AsyncBaseTransport):
    """httpx's own transport, one pool of connections for each proxy; HTTP/1.1.

    Args:
        silence: seconds without a byte after which a request counts as failed.

    Raises:
        UsageError: SSL_CERT_FILE names a file that cannot be read.
    """

    def __init__(self, *, silence: float) -> None:
        self._timeout = {"connect": _CONNECT, "read": silence, "write": silence, "pool": None}
        self._options = _options()
        self._proxies = network.Proxies()
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the headers of the response."""
        if "accept-encoding" not in request.headers:
            request.headers["Accept-Encoding"] = "gzip, deflate"
        request.extensions = {**request.extensions, "timeout": self._timeout}
        proxy = self._proxies.of(request.url.scheme, request.url.netloc.decode())
        if proxy not in self._pools:
            with _usable(proxy):
                self._pools[proxy] = httpx.AsyncHTTPTransport(proxy=proxy, **self._options)
        return await self._pools[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()


class Blocking(httpx.BaseTransport):
    """httpx's own transport for synchronous clients, such as that of registries. Errors as in `Plain`."""

    def __init__(self) -> None:
        self._options = _options()
        self._proxies = network.Proxies()
        self._pools: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the headers of the response."""
        proxy = self._proxies.of(request.url.scheme, request.url.netloc.decode())
        if proxy not in self._pools:
            with _usable(proxy):
                self._pools[proxy] = httpx.HTTPTransport(proxy=proxy, **self._options)
        return self._pools[proxy].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()


def _options() -> dict[str, Any]:
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    return {"verify": network.tls(), "limits": limits, "trust_env": False}


@contextmanager
def _usable(proxy: str | None) -> Iterator[None]:
    """Name a proxy that httpx cannot use.

    Raises:
        UsageError: the URL is not that of a proxy, or the proxy uses SOCKS.
    """
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        shown = (proxy or "").rpartition("@")[2]
        raise UsageError(
            f"the proxy `{shown}` cannot be used: {str(error).splitlines()[0]}",
            hint="set HTTPS_PROXY to a URL such as http://proxy.example:3128; SOCKS needs the extra `tfenv[fast]`",
        ) from error
