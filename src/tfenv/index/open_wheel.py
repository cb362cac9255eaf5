"""The inside of a wheel, without fetching all of it where the server allows that."""

from __future__ import annotations

import asyncio
import zipfile
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable
from tfenv.index.client import RangesUnsupported
from tfenv.index.download import fetch
from tfenv.index.remote_zip import RemoteZip

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.index.client import Client
    from tfenv.model.package import File
    from tfenv.store.cache import Cache


async def open_wheel(file: File, *, client: Client | None, cache: Cache) -> RemoteZip:
    """A reader for the members of a wheel: by ranges, or of the whole file in the cache.

    Args:
        file: as the index lists it.
        client: ``None`` takes only a wheel that is in the cache.
        cache: where a whole file would lie.

    Raises:
        IndexUnavailable: it cannot be had, or is no archive.
        IntegrityError: the whole file was fetched and has another hash than promised.
    """
    try:
        if client is not None:
            try:
                return await client.open_zip(file.url, file.size)
            except RangesUnsupported:
                pass
        return await _local(await fetch(file, client=client, cache=cache))
    except zipfile.BadZipFile as error:
        raise IndexUnavailable(f"{file.url} is not a sound wheel: {error}") from None


async def _local(path: Path) -> RemoteZip:
    def read(start: int, stop: int) -> bytes:
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.read(stop - start)

    size = await asyncio.to_thread(lambda: path.stat().st_size)
    return await RemoteZip.open(lambda start, stop: asyncio.to_thread(read, start, stop), size)
