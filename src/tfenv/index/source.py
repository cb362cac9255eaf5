"""Package indexes as a source of releases and metadata, requested before they are needed."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from tfenv.errors import IndexUnavailable
from tfenv.index.credentials import Credentials
from tfenv.index.documents import kept
from tfenv.index.kept import is_readable, page_url, releases_of, undated
from tfenv.model.package import File, Name, Release
from tfenv.model.progress import Silent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from tfenv.index.asking import Asker
    from tfenv.index.client import Client
    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.package import Metadata
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache

T = TypeVar("T")

PAGES, METADATA = "index pages", "metadata"
"""Names of the tasks reported to `Progress`; their units are pages and files."""

HINT_OFFLINE = "run the command once without `--offline`"


class IndexSource:
    """Releases and metadata from package indexes; a context manager, safe to use from several threads.

    A project found on one index is never taken from a later one, so that nobody can substitute a package of the same
    name through another index ("dependency confusion"). The cache answers at once; a connection and its thread are
    created only when an index has to be asked.

    Args:
        indexes: URLs of "simple" indexes in order, which may contain credentials.
        cache: cache of pages and metadata.
        exclude_newer: moment from which on uploaded files are ignored, as are files without upload time (`undated`).
        offline: whether to use only the cache.
        progress: reports pages and metadata.
        homes: project to the index that is asked for it before all others.
        client: creates the HTTP client.
    """

    def __init__(
        self,
        indexes: Sequence[str],
        *,
        cache: Cache,
        homes: Mapping[Name, str] | None = None,
        exclude_newer: datetime | None = None,
        offline: bool = False,
        progress: Progress | None = None,
        client: Callable[[Credentials], Client] | None = None,
    ) -> None:
        self.cache = cache
        self._credentials = Credentials()
        self._indexes = tuple(f"{self._credentials.learn(index).rstrip('/')}/" for index in indexes)
        self._homes = homes or {}
        self._exclude_newer = exclude_newer
        self._offline = offline
        self._progress = progress or Silent()
        self._client = client
        self._asker: Asker | None = None
        self._guard = threading.Lock()
        self._releases: dict[Name, tuple[Release, ...]] = {}
        self._metadata: dict[str, Metadata] = {}
        self._asked_pages: dict[Name, Future[tuple[Release, ...]]] = {}
        self._asked_metadata: dict[str, Future[Metadata]] = {}
        self._undated: dict[Name, tuple[str, ...]] = {}
        self._digests: dict[str, str] = {}
        self._wanted: set[Name] = set()
        self._came: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._following = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start(PAGES)
        self._progress.start(METADATA)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._asker is not None:
            self._asker.close()
        self._progress.finish(PAGES)
        self._progress.finish(METADATA)

    def releases(self, name: Name) -> tuple[Release, ...]:
        """All releases with files, newest version first, pre-releases and yanked files included.

        Empty if no index has the project.

        Raises:
            IndexUnavailable: an index does not answer.
        """
        if name not in self._releases:
            asked = self._look_up(name)
            if asked is not None:
                releases = self._old_enough(name, self._answer(asked))
                self._releases.setdefault(name, releases)
                for url, page in self._ask().missing.pop(name, ()):
                    self.cache.keep_page(url, page)
        self._wanted.add(name)
        return self._releases[name]

    def metadata(self, file: File) -> Metadata:
        """The requirements of a file; see `tfenv.index.metadata.fetch`."""
        key = file.sha256 or file.url
        if key not in self._metadata:
            asked = self._read(file, key)
            if asked is not None:
                self._metadata.setdefault(key, self._answer(asked))
        return self._metadata[key]

    def expect(self, wanted: Iterable[Name | File], then: Callable[[], None] | None = None) -> None:
        """Request what will be needed soon; a failure is raised only when it is needed.

        `then` is called after each response, while another one is waited for; never if the cache has everything.
        """
        if self._offline:
            return
        for item in wanted:
            if isinstance(item, File):
                key = item.sha256 or item.url
                asked: Future[Any] | None = None if key in self._metadata else self._read(item, key)
            else:
                asked = None if item in self._releases else self._look_up(item)
            if then is not None and asked is not None:
                asked.add_done_callback(lambda done: self._came.put(then if _came_well(done) else None))
            elif then is not None and self._asker is not None:
                self._came.put(then)

    @property
    def is_asking(self) -> bool:
        """Whether an index had to be asked so far."""
        return self._asker is not None

    def has(self, name: Name) -> bool:
        """Whether the cache can answer for the first index."""
        state = self.cache.state(page_url(self._indexes[0], name))
        return state is not None and (state[1] or self._offline)

    def pages(self) -> dict[str, str]:
        """Digests of the pages that were used, not only expected, by URL, as in `Cache.state`."""
        found = self._digests | ({} if self._asker is None else self._asker.digests)
        wanted = {page_url(index, name) for index in self._indexes for name in self._wanted}
        return {url: digest for url, digest in found.items() if url in wanted}

    def undated(self) -> dict[Name, tuple[str, ...]]:
        """Files that are ignored because `exclude_newer` is set and their index has no upload times."""
        return {name: files for name, files in sorted(self._undated.items()) if files}

    @asynccontextmanager
    async def wheel(self, file: File) -> AsyncIterator[RemoteZip]:
        """The contents of a wheel, for any event loop (it has a client of its own).

        Raises:
            IndexUnavailable: the wheel is not available or is damaged, which may be noticed only while it is read.
        """
        from zipfile import BadZipFile

        from tfenv.index.open_wheel import open_wheel

        client = self._make_client()
        try:
            yield await open_wheel(file, client=None if self._offline else client, cache=self.cache)
        except BadZipFile as error:
            raise IndexUnavailable(f"{file.url} is not a valid wheel: {error}") from None
        finally:
            await client.close()

    def _answer(self, asked: Future[T]) -> T:
        """The result of a request; while it is pending, the callbacks of earlier responses are called."""
        if not asked.done() and self._following.acquire(blocking=False):
            try:
                asked.add_done_callback(lambda _: self._came.put(None))
                while not asked.done() or not self._came.empty():
                    if (then := self._came.get()) is not None:
                        with suppress(IndexUnavailable):
                            then()
            finally:
                self._following.release()
        return asked.result()

    def _look_up(self, name: Name) -> Future[tuple[Release, ...]] | None:
        """Request a page once; ``None`` if it came from the cache and is in `_releases` now."""
        with self._guard:
            if name not in self._releases and name not in self._asked_pages:
                releases = self._cached(name)
                if releases is None:
                    self._asked_pages[name] = self._ask().page(name)
                    self._asked_pages[name].add_done_callback(lambda _: self._progress.advance(PAGES))
                else:
                    self._releases[name] = self._old_enough(name, releases)
                    self._progress.advance(PAGES)
            return self._asked_pages.get(name)

    def _read(self, file: File, key: str) -> Future[Metadata] | None:
        """Request metadata once; ``None`` if it came from the cache and is in `_metadata` now."""
        with self._guard:
            if key not in self._metadata and key not in self._asked_metadata:
                metadata = kept(file, self.cache)
                if metadata is not None:
                    self._metadata[key] = metadata
                    self._progress.advance(METADATA)
                elif self._offline:
                    raise IndexUnavailable(f"the metadata of {file.filename} is not in the cache", hint=HINT_OFFLINE)
                else:
                    self._asked_metadata[key] = self._ask().metadata(file)
                    self._asked_metadata[key].add_done_callback(lambda _: self._progress.advance(METADATA))
            return self._asked_metadata.get(key)

    def _cached(self, name: Name) -> tuple[Release, ...] | None:
        """The releases of a project from the cache; ``None`` if an index has to be asked."""
        if name.startswith("__"):  # virtual packages are not on an index
            return ()
        for index in self._indexes_of(name):
            url = page_url(index, name)
            page = self.cache.page(url)
            usable = page is not None and (page.fresh or self._offline) and is_readable(page)
            if page is None or not usable:
                if self._offline:
                    raise IndexUnavailable(f"{url} is not in the cache", hint=HINT_OFFLINE)
                return None
            self._digests[url] = page.digest
            if page.status == 200:
                return releases_of(page.body, name, index)
        return ()

    def _indexes_of(self, name: Name) -> tuple[str, ...]:
        return (self._homes[name], *self._indexes) if name in self._homes else self._indexes

    def _old_enough(self, name: Name, releases: tuple[Release, ...]) -> tuple[Release, ...]:
        """The releases without files that are too new, and without releases that have no other files."""
        limit = self._exclude_newer
        if limit is None:
            return releases
        self._undated[name] = undated(releases)
        found = []
        for release in releases:
            files = tuple(f for f in release.files if f.upload_time is not None and f.upload_time < limit)
            if files:
                found.append(Release(name=name, version=release.version, files=files))
        return tuple(found)

    def _make_client(self) -> Client:
        if self._client is not None:
            return self._client(self._credentials)
        from tfenv.index.client import Client

        return Client(self._credentials)

    def _ask(self) -> Asker:
        if self._asker is None:
            from tfenv.index.asking import Asker

            self._asker = Asker(self._indexes_of, cache=self.cache, client=self._make_client)
        return self._asker


def _came_well(done: Future[Any]) -> bool:
    return not done.cancelled() and done.exception() is None
