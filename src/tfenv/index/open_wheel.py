"""The contents of a wheel, read without downloading all of it if the server supports ranges."""

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
    """A reader of the files in a wheel: by ranges, or from the whole wheel in the cache.

    Args:
        file: wheel as listed by the index.
        client: client for the requests; ``None`` uses only the cache.
        cache: cache of whole wheels.

    Raises:
        IndexUnavailable: the wheel is not available, or is not an archive.
        IntegrityError: the whole wheel was downloaded and does not have the hash that the index lists.
    """
    try:
        if client is not None:
            try:
                return await client.open_zip(file.url, file.size)
            except RangesUnsupported:
                pass
        return await _local(await fetch(file, client=client, cache=cache))
    except zipfile.BadZipFile as error:
        raise IndexUnavailable(f"{file.url} is not a valid wheel: {error}") from None


async def _local(path: Path) -> RemoteZip:
    def read(start: int, stop: int) -> bytes:
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.read(stop - start)

    size = await asyncio.to_thread(lambda: path.stat().st_size)
    return await RemoteZip.open(lambda start, stop: asyncio.to_thread(read, start, stop), size)
