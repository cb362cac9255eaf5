"""One HTTP client: pooled, retried, with credentials that go to their own host only."""

from __future__ import annotations

import asyncio
import os
import random
import re
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.index.credentials import Credentials, split
from tfenv.index.remote_zip import RemoteZip

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType

    import httpx
    from typing_extensions import Self

T = TypeVar("T")

ATTEMPTS = 5
_BACKOFF, _LONGEST_PAUSE = 0.25, 20.0
_REDIRECTS = 10
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_BODY_LIMIT = 256 * 2**20


class RangesUnsupported(Exception):
    """The server does not serve byte ranges of this file."""


class Client:
    """An `httpx.AsyncClient` with the manners an index expects; an async context manager.

    Args:
        credentials: shared with whoever reads the URLs of indexes.
        attempts: of each request, the first included.
        pause: seconds before the first repetition; doubled each time, with jitter.
        timeout: seconds without a byte before a request counts as failed.
        http2: one multiplexed connection a host; off for bulk downloads, where several plain ones are faster.
        transport: another way to answer requests (tests).
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        attempts: int = ATTEMPTS,
        pause: float = _BACKOFF,
        timeout: float = 60.0,
        http2: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self._attempts = attempts
        self._pause = pause
        self._timeout = timeout
        self._http2 = http2
        self._transport = transport
        self._session: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.aclose()
            self._session = None

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, limit: int = _BODY_LIMIT
    ) -> httpx.Response:
        """The whole answer with its body, also when its status is 304, 404 or 410.

        Raises:
            IndexUnavailable: no such answer could be had, or its body exceeds `limit` bytes.
        """

        async def once() -> httpx.Response:
            async with self._open(url, headers or {}) as response:
                return _complete(response, await _body(response, limit))

        return await self._persist(url, once)

    async def range(self, url: str, start: int, stop: int) -> bytes:
        """The bytes from `start` up to, not including, `stop`.

        Raises:
            RangesUnsupported: the server does not do this.
            IndexUnavailable: as for `get`.
        """
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}

        async def once() -> bytes:
            async with self._open(url, headers) as response:
                given = _content_range(response)
                if given is None or given[:2] != (start, stop):
                    raise RangesUnsupported
                body = await _body(response, stop - start)
                if len(body) != stop - start:
                    raise Interrupted(f"{len(body)} of {stop - start} bytes came")
                return body

        return await self._persist(url, once)

    async def size(self, url: str) -> int:
        """Length of a file in bytes, asked with a range of one byte. Errors as for `range`."""
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}

        async def once() -> int:
            async with self._open(url, headers) as response:
                given = _content_range(response)
                if given is None:
                    raise RangesUnsupported
                return given[2]

        return await self._persist(url, once)

    @asynccontextmanager
    async def stream(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a file in pieces, tried once: the caller starts over on `Interrupted`.

        Raises:
            Interrupted: a failure that may pass.
            IndexUnavailable: one that will not.
        """
        async with self._open(url, {"Accept-Encoding": "identity"}) as response:
            if response.status_code != 200:
                raise IndexUnavailable(f"{split(url)[0]} answered {response.status_code}", hint=_HINT_FILE)
            yield _pieces(response)

    async def open_zip(self, url: str, size: int | None = None) -> RemoteZip:
        """A ZIP archive to be read by ranges; `size` in bytes saves a request.

        Raises:
            RangesUnsupported: the server does not serve ranges.
            BadZipFile: it is no archive.
            IndexUnavailable: as for `get`.
        """
        length = await self.size(url) if size is None else size
        return await RemoteZip.open(lambda start, stop: self.range(url, start, stop), length)

    async def rest(self, url: str, attempt: int, interruption: Interrupted) -> None:
        """Wait before trying again what was broken off (`attempt` counts from 1).

        Raises:
            IndexUnavailable: that was the last attempt, or the server asks for more patience than there is.
        """
        if attempt >= self._attempts or interruption.after > _LONGEST_PAUSE:
            times = f"{attempt} times" if attempt > 1 else "once"
            raise IndexUnavailable(
                f"{split(url)[0]} failed {times}: {interruption}", hint=_HINT_NETWORK
            ) from interruption
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(max(interruption.after, self._pause * 2 ** (attempt - 1) * jitter))

    async def _persist(self, url: str, once: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is not interrupted."""
        for attempt in count(1):
            try:
                return await once()
            except Interrupted as interruption:
                await self.rest(url, attempt, interruption)
        raise AssertionError

    def _http(self) -> httpx.AsyncClient:
        """Made when it is first needed: it costs half a second, and a warm cache needs none."""
        if self._session is None:
            import httpx

            self._session = httpx.AsyncClient(
                http2=self._http2,
                verify=_tls(),
                trust_env=True,
                transport=self._transport,
                follow_redirects=False,  # followed here, so that credentials are chosen for each host anew
                timeout=httpx.Timeout(self._timeout, connect=15.0, pool=None),
                limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
                headers={"User-Agent": "tfenv", "Accept-Encoding": "gzip, deflate"},
            )
        return self._session

    @asynccontextmanager
    async def _open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer after redirects, its status checked, its body not read yet."""
        import httpx

        http = self._http()
        here = self.credentials.learn(url)
        for _ in range(_REDIRECTS):
            request = http.build_request("GET", here, headers=headers)
            try:
                response = await http.send(request, auth=self.credentials.of(here), stream=True)
            except httpx.InvalidURL as error:
                raise IndexUnavailable(f"`{here}` is not a URL: {error}") from None
            except (httpx.TransportError, OSError) as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):  # will not pass
                    raise IndexUnavailable(f"{here}: {_words(error)}", hint=_HINT_CERTIFICATE) from error
                raise Interrupted(_words(error)) from error
            try:
                if response.status_code not in (301, 302, 303, 307, 308):
                    _judge(here, response)
                    try:
                        yield response
                    except (httpx.TransportError, httpx.DecodingError) as error:
                        raise Interrupted(_words(error)) from error
                    return
                there = urljoin(here, response.headers.get("Location", ""))
            finally:
                await response.aclose()
            if here.startswith("https:") and not there.startswith("https:"):
                raise IndexUnavailable(f"{here} redirects to {split(there)[0]}, which is not encrypted")
            here = split(there)[0]
        raise IndexUnavailable(f"{split(url)[0]} redirects without end")


class Interrupted(Exception):
    """A failure that may pass; `after` is the number of seconds the server asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


_HINT_NETWORK = (
    "check the network and HTTPS_PROXY, or choose another index with `--index-url`; `--offline` uses the cache"
)
_HINT_CERTIFICATE = "if the network has a certificate authority of its own, name its file in SSL_CERT_FILE"
_HINT_FILE = "the index lists this file but does not serve it"


def _judge(url: str, response: httpx.Response) -> None:
    """Let through what has an answer in it."""
    status = response.status_code
    if status in (200, 206, 304, 404, 410, 416):
        return
    if status in _RETRIED:
        raise Interrupted(f"it answered {status}", _retry_after(response.headers.get("Retry-After", "")))
    if status in (401, 403):
        from tfenv.index.credentials import variable

        raise IndexUnavailable(
            f"{url} answered {status}: it wants credentials, or others than it got",
            hint=f"put them into the index URL, into {variable(url)}=user:password, or into ~/.netrc",
        )
    raise IndexUnavailable(f"{url} answered {status}", hint=_HINT_NETWORK)


def _words(error: BaseException) -> str:
    """Why a connection failed, without the class names of libraries where they say nothing."""
    text = str(error).strip() or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return text if len(text) < 300 else text[:300] + "…"


def _retry_after(text: str) -> float:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); 0 if absent or unreadable."""
    if text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    from datetime import datetime, timezone

    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - datetime.now(timezone.utc)).total_seconds())


def _content_range(response: httpx.Response) -> tuple[int, int, int] | None:
    """Start, stop (exclusive) and length of the file; ``None`` if this is no partial answer."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "").strip())
    if response.status_code != 206 or match is None:
        return None
    return (int(match[1]), int(match[2]) + 1, int(match[3]))


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in response.aiter_bytes():
        yield piece


async def _body(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > limit:
            raise IndexUnavailable(f"{response.url} sends more than {limit} bytes")
    return bytes(body)


def _complete(response: httpx.Response, body: bytes) -> httpx.Response:
    """The same answer with its body at hand (already decoded, so the headers must not say otherwise)."""
    import httpx

    headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in _FRAMING]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _tls() -> ssl.SSLContext:
    """The system's certificates, and those of SSL_CERT_FILE and SSL_CERT_DIR on every system.

    Raises:
        UsageError: one of these variables names something unreadable.
    """
    import ssl

    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, directories = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR", "")
    try:
        if file:
            context.load_verify_locations(cafile=file)
        for directory in filter(os.path.isdir, directories.split(os.pathsep)):
            context.load_verify_locations(capath=directory)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"SSL_CERT_FILE names `{file}`, which cannot be read: {error}") from None
    return context
