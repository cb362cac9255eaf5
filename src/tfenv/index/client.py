"""The HTTP client: pooled connections, retries, and credentials that are sent only to their own host."""

from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.index.answers import HINT_NETWORK, Interrupted, complete, content, content_range, judge, pieces, words
from tfenv.index.credentials import Credentials, split
from tfenv.index.remote_zip import RemoteZip
from tfenv.store.foreign import shown, without_login

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType
    from typing import Self

    import httpx

T = TypeVar("T")

ATTEMPTS = 5
_BACKOFF, _LONGEST_PAUSE = 0.25, 20.0
_REDIRECTS = 10
_HEADERS = (("User-Agent", "tfenv"),)
_BODY_LIMIT = 256 * 2**20
_LASTING = {
    "certificate": "if your network has its own certificate authority, set SSL_CERT_FILE to its file",
    "407": "the proxy requires a user and a password: HTTPS_PROXY=http://user:password@host:port",
}
"""Words in the messages of permanent failures, each with a hint."""
_HINT_FILE = "the index lists this file but does not serve it"


class RangesUnsupported(Exception):
    """The server does not support byte ranges for this file."""


class Client:
    """Sends requests to package indexes; an async context manager.

    Args:
        credentials: credentials by origin, shared with the code that reads index URLs.
        attempts: number of attempts for each request, including the first.
        pause: seconds before the first repetition; doubled each time, with jitter.
        timeout: seconds without a byte after which a request counts as failed.
        http2: whether to use one multiplexed connection per host; several plain ones are faster for bulk downloads.
        transport: replacement for the network (tests).
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        attempts: int = ATTEMPTS,
        pause: float = _BACKOFF,
        timeout: float = 30.0,
        http2: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self._attempts = attempts
        self._pause = pause
        self._timeout = timeout
        self._http2 = http2
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, limit: int = _BODY_LIMIT
    ) -> httpx.Response:
        """The response with its whole body, also for the status 304, 404 or 410.

        Raises:
            IndexUnavailable: the server gave no such response, or its body exceeds `limit` bytes.
        """

        async def once() -> httpx.Response:
            async with self._open(url, headers or {}) as response:
                return complete(response, await content(response, limit))

        return await self._persist(url, once)

    async def range(self, url: str, start: int, stop: int) -> bytes:
        """The bytes from `start` up to, but not including, `stop`.

        Raises:
            RangesUnsupported: the server does not support ranges.
            IndexUnavailable: as in `get`.
        """
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}

        async def once() -> bytes:
            async with self._open(url, headers) as response:
                given = content_range(response)
                if given is None or given[:2] != (start, stop):
                    raise RangesUnsupported
                body = await content(response, stop - start)
                if len(body) != stop - start:
                    raise Interrupted(f"{len(body)} of {stop - start} bytes arrived")
                return body

        return await self._persist(url, once)

    async def size(self, url: str) -> int:
        """The length of a file in bytes, from the response to a range of one byte. Errors as in `range`."""
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}

        async def once() -> int:
            async with self._open(url, headers) as response:
                given = content_range(response)
                if given is None:
                    raise RangesUnsupported
                return given[2]

        return await self._persist(url, once)

    @asynccontextmanager
    async def stream(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a file in pieces, requested once; on `Interrupted` the caller starts again.

        Raises:
            Interrupted: the failure is temporary.
            IndexUnavailable: the failure is permanent.
        """
        async with self._open(url, {"Accept-Encoding": "identity"}) as response:
            if response.status_code != 200:
                raise IndexUnavailable(f"{split(url)[0]} answered {response.status_code}", hint=_HINT_FILE)
            yield pieces(response)

    async def open_zip(self, url: str, size: int | None = None) -> RemoteZip:
        """A ZIP archive that is read by ranges; a known `size` in bytes saves a request.

        Raises:
            RangesUnsupported: the server does not support ranges.
            BadZipFile: the file is not an archive.
            IndexUnavailable: as in `get`.
        """
        length = await self.size(url) if size is None else size
        return await RemoteZip.open(lambda start, stop: self.range(url, start, stop), length)

    async def rest(self, url: str, attempt: int, interruption: Interrupted) -> None:
        """Wait before the next attempt (`attempt` counts from 1).

        Raises:
            IndexUnavailable: this was the last attempt, or the server asks for too long a pause.
        """
        if attempt >= self._attempts or interruption.after > _LONGEST_PAUSE:
            times = f"{attempt} times" if attempt > 1 else "once"
            raise IndexUnavailable(
                f"{split(url)[0]} failed {times}: {interruption}", hint=HINT_NETWORK
            ) from interruption
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(max(interruption.after, self._pause * 2 ** (attempt - 1) * jitter))

    async def _persist(self, url: str, once: Callable[[], Awaitable[T]]) -> T:
        """Repeat a request until it is not interrupted."""
        for attempt in count(1):
            try:
                return await once()
            except Interrupted as interruption:
                await self.rest(url, attempt, interruption)
        raise AssertionError

    def _carrier(self) -> httpx.AsyncBaseTransport:
        """The transport, created at the first request: none is needed if the cache answers."""
        if self._transport is None:
            from tfenv.index.transport import transport

            self._transport = transport(http2=self._http2, silence=self._timeout)
        return self._transport

    def _login(self, url: str) -> list[tuple[str, str]]:
        """The header for basic authentication (RFC 7617), if there are credentials."""
        known = self.credentials.of(url)
        return [("Authorization", f"Basic {b64encode(':'.join(known).encode()).decode()}")] if known else []

    @asynccontextmanager
    async def _open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The response after redirects, its status checked, its body not read yet.

        The transport is used without an `httpx.AsyncClient`, because cookies are not wanted and credentials are
        chosen anew for each host.
        """
        carrier = self._carrier()
        from tfenv.index.http import httpx

        here = self.credentials.learn(url)
        for _ in range(_REDIRECTS):
            try:
                request = httpx.Request("GET", here, headers=[*_HEADERS, *headers.items(), *self._login(here)])
                response = await carrier.handle_async_request(request)
                response.request = request
            except httpx.InvalidURL as error:
                raise IndexUnavailable(f"`{here}` is not a URL: {error}") from None
            except (httpx.TransportError, OSError) as error:
                for sign, hint in _LASTING.items():
                    if sign in words(error):
                        raise IndexUnavailable(f"{here}: {words(error)}", hint=hint) from error
                raise Interrupted(words(error)) from error
            try:
                if response.status_code not in (301, 302, 303, 307, 308):
                    judge(here, response)
                    try:
                        yield response
                    except (httpx.TransportError, httpx.DecodingError) as error:
                        raise Interrupted(words(error)) from error
                    return
                there = _target(here, response.headers.get("Location", ""))
            finally:
                await response.aclose()
            if here.startswith("https:") and not there.startswith("https:"):
                raise IndexUnavailable(f"{here} redirects to {there}, which is not encrypted")
            here = there
        raise IndexUnavailable(f"{split(url)[0]} redirects too often")


def _target(url: str, location: str) -> str:
    """The URL that a redirect leads to, without credentials.

    Raises:
        IndexUnavailable: it is not an `http` or `https` URL.
    """
    try:
        return split(urljoin(url, location))[0]
    except (ValueError, UsageError):
        raise IndexUnavailable(f"{url} redirects to `{shown(without_login(location))}`, which is not a URL") from None
