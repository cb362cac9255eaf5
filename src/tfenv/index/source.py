"""Package indexes as a source of releases and metadata, fetched ahead of need."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable
from tfenv.index.answers import Interrupted
from tfenv.index.cache import Cache, StoredPage, fresh_until
from tfenv.index.client import Client
from tfenv.index.credentials import Credentials
from tfenv.index.metadata import HINT_OFFLINE, metadata
from tfenv.index.pages import ACCEPT, Link, links, listed
from tfenv.index.wheels import open_wheel
from tfenv.model.package import File, Name
from tfenv.model.progress import Silent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.package import Metadata, Release
    from tfenv.model.progress import Progress

T = TypeVar("T")

PAGES, METADATA = "index pages", "metadata"
"""Names of the tasks told to `Progress`; their units are pages and files."""

_AT_ONCE = 24


class IndexSource:
    """Releases and metadata from package indexes; a context manager, safe to use from several threads.

    A name found on an index is never taken from a later one, so nobody can slip a package of the same name in
    through another index ("dependency confusion").

    Args:
        indexes: URLs of "simple" indexes, in order; they may hold credentials.
        cache: of pages and metadata.
        exclude_newer: files uploaded at or after this moment do not exist (a file of unknown age neither: `undated`).
        offline: take only what is cached.
        progress: told of pages and metadata.
        client: makes the HTTP client.
    """

    def __init__(
        self,
        indexes: Sequence[str],
        *,
        cache: Cache,
        exclude_newer: datetime | None = None,
        offline: bool = False,
        progress: Progress | None = None,
        client: Callable[[Credentials], Client] = Client,
    ) -> None:
        self.cache = cache
        self._credentials = Credentials()
        self._indexes = tuple(f"{self._credentials.learn(index).rstrip('/')}/" for index in indexes)
        self._exclude_newer = exclude_newer
        self._offline = offline
        self._progress = progress or Silent()
        self._make_client = client
        self._client: Client | None = None
        self._guard = threading.Lock()
        self._pages: dict[Name, Future[tuple[Release, ...]]] = {}
        self._metadata: dict[str, Future[Metadata]] = {}
        self._undated: dict[Name, tuple[str, ...]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tfenv-index", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._gate = self._run(self._prepare()).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases with files, newest version first, pre-releases and yanked files included.

        Empty if no index knows the name.

        Raises:
            IndexUnavailable: an index cannot be asked.
        """
        return self._page(name).result()

    def metadata(self, file: File) -> Metadata:
        """What a file requires; see `tfenv.index.metadata.metadata`."""
        return self._metadata_of(file).result()

    def expect(self, wanted: Iterable[Name | File]) -> None:
        """Begin to fetch what will be asked for soon; failures wait until it is asked for."""
        for item in wanted:
            if isinstance(item, File):
                self._metadata_of(item)
            else:
                self._page(item)

    def undated(self) -> dict[Name, tuple[str, ...]]:
        """Files left out because `exclude_newer` is set and their index does not say when they were uploaded."""
        return {name: files for name, files in sorted(self._undated.items()) if files}

    @asynccontextmanager
    async def wheel(self, file: File) -> AsyncIterator[RemoteZip]:
        """The inside of a wheel, for use in any event loop (it has a client of its own).

        Raises:
            IndexUnavailable: it cannot be had, or is damaged (also where that shows while reading).
        """
        client = self._make_client(self._credentials)
        try:
            yield await open_wheel(file, client=None if self._offline else client, cache=self.cache)
        except BadZipFile as error:
            raise IndexUnavailable(f"{file.url} is not a sound wheel: {error}") from None
        finally:
            await client.close()

    def _page(self, name: Name) -> Future[tuple[Release, ...]]:
        with self._guard:
            if name not in self._pages:
                self._pages[name] = self._run(self._tracked(self._find(name)))
            return self._pages[name]

    def _metadata_of(self, file: File) -> Future[Metadata]:
        key = file.sha256 or file.url
        with self._guard:
            if key not in self._metadata:
                self._metadata[key] = self._run(self._tracked(self._read(file)))
            return self._metadata[key]

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

    async def _prepare(self) -> asyncio.Semaphore:
        if not self._offline:
            self._client = self._make_client(self._credentials)
        self._progress.start(PAGES)
        self._progress.start(METADATA)
        return asyncio.Semaphore(_AT_ONCE)

    async def _end(self) -> None:
        """What was expected but never asked for is dropped.

        Only our own tasks are cancelled: those below them belong to libraries, which end them with more care.
        """
        rest = tuple(self._tasks)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        self._progress.finish(PAGES)
        self._progress.finish(METADATA)

    async def _read(self, file: File) -> Metadata:
        async with self._gate:
            found = await metadata(file, client=self._client, cache=self.cache)
        self._progress.advance(METADATA)
        return found

    async def _find(self, name: Name) -> tuple[Release, ...]:
        if name.startswith("__"):  # virtual packages are on no index
            return ()
        for index in self._indexes:
            async with self._gate:
                files = await self._files(name, index)
            if files is not None:
                self._progress.advance(PAGES)
                return listed(name, self._old_enough(name, files), index)
        return ()

    def _old_enough(self, name: Name, files: tuple[Link, ...]) -> Iterable[Link]:
        if self._exclude_newer is None:
            return files
        dated = [(file, file.upload_time) for file in files]
        self._undated[name] = tuple(sorted(file.filename for file, moment in dated if moment is None))
        limit = self._exclude_newer
        return [file for file, moment in dated if moment is not None and moment < limit]

    async def _files(self, name: Name, index: str) -> tuple[Link, ...] | None:
        """What one index lists; ``None`` if it does not know the name."""
        url = f"{index}{quote(name)}/"
        stored = self.cache.page(url)
        if stored is not None and (stored.fresh or self._client is None):
            try:
                return _links(stored, name)
            except ValueError:  # written by another version
                stored = None
        if self._client is None:
            raise IndexUnavailable(f"{url} is not in the cache", hint=HINT_OFFLINE)
        return await self._ask(url, stored, name, self._client)

    async def _ask(self, url: str, stored: StoredPage | None, name: Name, client: Client) -> tuple[Link, ...] | None:
        headers = {"Accept": ACCEPT}
        if stored is not None and stored.etag:
            headers["If-None-Match"] = stored.etag
        elif stored is not None and stored.last_modified:
            headers["If-Modified-Since"] = stored.last_modified
        attempt = 0
        while True:
            attempt += 1
            response = await client.get(url, headers)
            page = _page(response, stored)
            try:
                files = _links(page, name)
            except ValueError as error:  # cut short on the way, perhaps: a good page may come next time
                await client.rest(url, attempt, Interrupted(f"the page cannot be read: {error}"))
                continue
            self.cache.keep_page(url, page)
            return files


def _page(response: httpx.Response, stored: StoredPage | None) -> StoredPage:
    until = fresh_until(response.headers, now=time.time())
    if response.status_code == 304 and stored is not None:
        return StoredPage(
            url=stored.url,
            status=stored.status,
            content_type=stored.content_type,
            etag=response.headers.get("ETag", stored.etag),
            last_modified=response.headers.get("Last-Modified", stored.last_modified),
            until=until,
            body=stored.body,
        )
    known = response.status_code == 200
    return StoredPage(
        url=str(response.request.url),
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
        until=until,
        body=response.content if known else b"",
    )


def _links(page: StoredPage, name: Name) -> tuple[Link, ...] | None:
    if page.status in (404, 410):
        return None
    if page.status != 200:
        raise ValueError(f"it answered {page.status}")
    return links(page.body, page.content_type, url=page.url, name=name)
