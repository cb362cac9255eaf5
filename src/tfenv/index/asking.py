"""Requests to package indexes, many at a time, on a thread of their own."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from tfenv.index import loop
from tfenv.index.answers import Interrupted
from tfenv.index.documents import metadata_of
from tfenv.index.kept import KEPT, is_readable, lines_of, page_url, releases_of
from tfenv.index.metadata import fetch
from tfenv.index.pages import ACCEPT, links
from tfenv.store.cache import StoredPage, fresh_until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent.futures import Future

    import httpx

    from tfenv.index.client import Client
    from tfenv.model.package import File, Metadata, Name, Release
    from tfenv.store.cache import Cache

T = TypeVar("T")

_AT_ONCE = 32
_LONGEST_VALIDATOR = 500
"""characters of an ETag"""


class Asker:
    """Requests pages and metadata until it is closed; safe to use from several threads.

    Attributes:
        digests: digest of each page by URL (`StoredPage.digest`).
        missing: responses, by project, of indexes that do not have it. They are not cached yet, because the project may
            not have been needed.

    Args:
        indexes_of: gives the URLs for a project in order, without credentials.
        cache: cache that provides validators and keeps every response.
        client: creates the HTTP client.
    """

    def __init__(
        self, indexes_of: Callable[[Name], Sequence[str]], *, cache: Cache, client: Callable[[], Client]
    ) -> None:
        self._indexes_of = indexes_of
        self._cache = cache
        self.digests: dict[str, str] = {}
        self.missing: dict[Name, list[tuple[str, StoredPage]]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._loop = loop.new()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tfenv-index", daemon=True)
        self._thread.start()
        self._client, self._gate = self._run(_prepare(client)).result()

    def page(self, name: Name) -> Future[tuple[Release, ...]]:
        """The releases on the first index that has the project; empty if none has it."""
        return self._run(self._tracked(self._find(name)))

    def metadata(self, file: File) -> Future[Metadata]:
        """The requirements of a file; see `tfenv.index.metadata.fetch`."""
        return self._run(self._tracked(self._read(file)))

    def close(self) -> None:
        """End the thread; requests whose results nobody waits for are cancelled."""
        self._run(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[None, None, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _tracked(self, work: Coroutine[None, None, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def _end(self) -> None:
        """Cancel our own tasks only: those below them belong to libraries, which end them in their own way."""
        rest = tuple(self._tasks)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._client.close()

    async def _read(self, file: File) -> Metadata:
        async with self._gate:
            return metadata_of(file, await fetch(file, client=self._client, cache=self._cache))

    async def _find(self, name: Name) -> tuple[Release, ...]:
        for index in self._indexes_of(name):
            async with self._gate:
                page = await self._page(name, index)
            self.digests[page_url(index, name)] = page.digest
            if page.status == 200:
                return releases_of(page.body, name, index)
        return ()

    async def _page(self, name: Name, index: str) -> StoredPage:
        """The current response of one index: 200 and a page in the form of the cache, or 404."""
        url = page_url(index, name)
        stored = self._cache.page(url)
        if stored is not None and not is_readable(stored):  # written by another version
            stored = None
        if stored is not None and stored.fresh:
            return stored
        headers = {"Accept": ACCEPT}
        if stored is not None and stored.etag:
            headers["If-None-Match"] = stored.etag
        elif stored is not None and stored.last_modified:
            headers["If-Modified-Since"] = stored.last_modified
        attempt = 0
        while True:
            attempt += 1
            response = await self._client.get(url, headers)
            try:
                page = _answered(response, stored, name)
            except ValueError as error:  # the page may have been truncated in transit: try again
                await self._client.rest(url, attempt, Interrupted(f"the page cannot be read: {error}"))
                continue
            if page.status == 200:
                self._cache.keep_page(url, page)
            else:
                self.missing.setdefault(name, []).append((url, page))
            return page


async def _prepare(client: Callable[[], Client]) -> tuple[Client, asyncio.Semaphore]:
    return client(), asyncio.Semaphore(_AT_ONCE)


def _answered(response: httpx.Response, stored: StoredPage | None, name: Name) -> StoredPage:
    """A response in the form of the cache.

    Raises:
        ValueError: it is not a page of an index.
    """
    until = fresh_until(response.headers, now=time.time())
    status, etag = response.status_code, _validator(response.headers.get("ETag", ""))
    modified = _validator(response.headers.get("Last-Modified", ""))
    if status == 304 and stored is not None:
        return StoredPage(
            url=stored.url,
            status=stored.status,
            content_type=stored.content_type,
            etag=etag or stored.etag,
            last_modified=modified or stored.last_modified,
            until=until,
            body=stored.body,
            digest=stored.digest,
        )
    if status not in (200, 404, 410):
        raise ValueError(f"it answered {status}")
    url, body = str(response.request.url), b""
    if status != 200:
        until = time.time()  # a project that is missing for a moment must not be taken from a later index for longer
    else:
        body = lines_of(links(response.content, response.headers.get("Content-Type", ""), url=url, name=name))
    return StoredPage(
        url=url,
        status=status,
        content_type=KEPT,
        etag=etag,
        last_modified=modified,
        until=until,
        body=body,
        digest=hashlib.sha256(body).hexdigest() if body else "",
    )


def _validator(text: str) -> str:
    """The value of a header, if it can be sent back; empty otherwise."""
    return text if text.isascii() and text.isprintable() and len(text) <= _LONGEST_VALIDATOR else ""
