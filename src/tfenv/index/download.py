"""Distributions downloaded into the cache, with hashes checked during the transfer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tfenv.errors import IndexUnavailable, IntegrityError
from tfenv.index.answers import Interrupted
from tfenv.index.client import Client
from tfenv.index.loop import run
from tfenv.model.progress import Silent
from tfenv.store import files, foreign
from tfenv.store.cache import CACHE_HINT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tfenv.model.package import File
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache

TASK = "download"
"""Name of the task reported to `Progress`; its unit is bytes."""

_PARALLEL = 6
_BLOCK = 2**20


def plain_client() -> Client:
    """A client for bulk transfers: several plain connections are faster than a multiplexed one."""
    return Client(http2=False)


def download(
    files: Sequence[File],
    *,
    cache: Cache,
    offline: bool = False,
    progress: Progress | None = None,
    client: Callable[[], Client] = plain_client,
) -> dict[str, Path]:
    """Download all files into the cache; returns their paths by filename.

    Files that are there already are hashed again if they were changed since the last check. Two processes that need the
    same file download it once.

    Raises:
        IntegrityError: a file has no SHA-256 to check, or does not match it (the file is then deleted).
        IndexUnavailable: a file is not available.
    """
    return run(_all(files, cache=cache, offline=offline, progress=progress or Silent(), client=client))


async def _all(
    files: Sequence[File], *, cache: Cache, offline: bool, progress: Progress, client: Callable[[], Client]
) -> dict[str, Path]:
    for file in files:
        if file.sha256 is None:
            raise IntegrityError(f"the index lists no SHA-256 for {file.filename}", hint="use an index with hashes")
    gate = asyncio.Semaphore(_PARALLEL)
    progress.start(TASK, sum(file.size or 0 for file in files) or None)
    async with client() as http:

        async def one(file: File) -> tuple[str, Path]:
            async with gate:
                return file.filename, await fetch(
                    file, client=None if offline else http, cache=cache, progress=progress
                )

        largest_first = sorted(files, key=lambda file: (-(file.size or 0), file.filename))
        tasks = [asyncio.ensure_future(one(file)) for file in largest_first]
        try:
            found = dict(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        finally:
            progress.finish(TASK)
    return {file.filename: found[file.filename] for file in files}


async def fetch(file: File, *, client: Client | None, cache: Cache, progress: Progress | None = None) -> Path:
    """One file, as in `download`; with ``None`` as client only from the cache.

    A file without a SHA-256 on the index is kept by its URL, unchecked: it can be read, but not locked.
    """
    progress = progress or Silent()
    path = cache.file(file.sha256 or hashlib.sha256(file.url.encode()).hexdigest(), file.filename)
    if await _is_sound(path, file, cache):
        progress.advance(TASK, path.stat().st_size)
        return path
    if client is None:
        raise IndexUnavailable(f"{file.filename} is not in the cache", hint="run the command once without `--offline`")
    with files.writing(path, hint=CACHE_HINT):
        async with _locked(cache, path):
            if not await _is_sound(path, file, cache):  # another process may have downloaded it meanwhile
                path.unlink(missing_ok=True)
                await _transfer(file, path, client, progress)
                _stamp(path, file, cache)
    return path


async def _transfer(file: File, path: Path, client: Client, progress: Progress) -> None:
    for attempt in count(1):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        arrived = 0
        try:
            digest = hashlib.sha256()
            with os.fdopen(handle, "wb") as out:
                async with client.stream(file.url) as pieces:
                    async for block in _blocks(pieces):
                        await asyncio.to_thread(_consume, block, digest, out)
                        arrived += len(block)
                        progress.advance(TASK, len(block))
                out.flush()
                os.fsync(out.fileno())
            _check(file, digest.hexdigest(), arrived)
            await asyncio.to_thread(Path(temporary).replace, path)
        except Interrupted as interruption:
            progress.advance(TASK, -arrived)
            await client.rest(file.url, attempt, interruption)
        else:
            return
        finally:
            _drop(temporary)


async def _blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Larger pieces, read ahead so that hashing and writing overlap with the transfer."""
    queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(maxsize=4)

    async def fill() -> None:
        buffer = bytearray()
        try:
            async for piece in pieces:
                buffer += piece
                if len(buffer) >= _BLOCK:
                    await queue.put(bytes(buffer))
                    buffer.clear()
            await queue.put(bytes(buffer))
            await queue.put(None)
        except Exception as error:  # noqa: BLE001 - passed to the reader, which raises it
            await queue.put(error)

    filler = asyncio.ensure_future(fill())
    try:
        while (block := await queue.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block
    finally:
        filler.cancel()
        await asyncio.gather(filler, return_exceptions=True)


def _check(file: File, digest: str, arrived: int) -> None:
    if file.sha256 is None:
        return
    if file.size is not None and arrived < file.size:
        raise Interrupted(f"{arrived} of {file.size} bytes arrived")
    if digest != file.sha256:
        raise IntegrityError(
            f"{file.url} has the SHA-256 {digest}, not {file.sha256}",
            hint="the download was deleted: a proxy or mirror changed the file, or the lock is wrong",
        )


def _consume(block: bytes, digest: hashlib._Hash, out: BinaryIO) -> None:
    digest.update(block)
    out.write(block)


def _drop(temporary: str) -> None:
    Path(temporary).unlink(missing_ok=True)


async def _is_sound(path: Path, file: File, cache: Cache) -> bool:
    known = cache.document(_stamp_key(path, file))
    if known is not None and known == _state(path):
        return True
    digest = await asyncio.to_thread(foreign.sha256_of, path)
    if digest is None or file.sha256 not in (None, digest):
        return False
    _stamp(path, file, cache)
    return True


def _stamp(path: Path, file: File, cache: Cache) -> None:
    """Remember the state of a file whose hash is right."""
    if (state := _state(path)) is not None:
        cache.keep_document(_stamp_key(path, file), state)


def _stamp_key(path: Path, file: File) -> str:
    return f"checked {file.sha256} {path}"


def _state(path: Path) -> dict[str, int] | None:
    """The state of a file, which changes with every write, because the time of change cannot be set back."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return {"size": seen.st_size, "changed": seen.st_ctime_ns, "written": seen.st_mtime_ns, "inode": seen.st_ino}


@asynccontextmanager
async def _locked(cache: Cache, path: Path) -> AsyncIterator[None]:
    """Lock a path against other processes; other downloads of this process go on while it waits."""
    from filelock import Timeout

    lock = cache.lock(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            await asyncio.sleep(0.1)
    try:
        yield
    finally:
        lock.release()
