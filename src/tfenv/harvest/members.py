"""Python modules and METADATA of published files; only what differs from the previous wheel is downloaded."""

from __future__ import annotations

import io
import tarfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable
from tfenv.harvest.public.trees import plain
from tfenv.harvest.wheel import METADATA
from tfenv.index.client import RangesUnsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from tfenv.harvest.update import TableReport
    from tfenv.index.client import Client
    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.package import File, Name

Held: TypeAlias = "dict[str, tuple[tuple[int, int], bytes]]"
"""Members of a wheel by name, each with its checksum, size and content."""


class Members:
    """The Python modules and METADATA of published files.

    A member of a wheel is downloaded only if its checksum or size differs from the member of the same name in the
    previous wheel of the same distribution. A source archive is read whole.
    """

    def __init__(self, client: Client, report: TableReport) -> None:
        self._client = client
        self._report = report
        self._held: dict[Name, tuple[str, Held]] = {}

    async def __call__(self, file: File) -> Mapping[str, bytes]:
        """The members that `ModuleTrees` reads, by name.

        Raises:
            IndexUnavailable: the file cannot be read.
        """
        if not file.is_wheel:
            response = await self._client.get(file.url)
            if response.status_code != 200:
                raise IndexUnavailable(f"{file.url} answered {response.status_code}")
            self._report.count(len(response.content))
            return _unpack(response.content, file)
        last, before = self._held.get(file.name, ("", {}))
        now = before if last == file.filename else await self._read(file, before)
        self._held[file.name] = (file.filename, now)
        return {name: data for name, (_, data) in now.items()}

    async def _read(self, file: File, before: Held) -> Held:
        async with self._open(file) as archive:
            members = {plain(name): archive.member(name) for name in archive.names() if _wanted(name)}
            marks = {name: (member.crc, member.size) for name, member in members.items()}
            new = {name for name, mark in marks.items() if name not in before or before[name][0] != mark}
            fresh = await archive.read_many(members[name].name for name in new)
        return {
            name: (mark, fresh[members[name].name] if name in new else before[name][1]) for name, mark in marks.items()
        }

    async def some(self, file: File, wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
        """The wanted members of a wheel. Raises as `__call__` does."""
        async with self._open(file) as archive:
            return await archive.read_many(filter(wanted, archive.names()))

    @asynccontextmanager
    async def _open(self, file: File) -> AsyncIterator[RemoteZip]:
        try:
            archive = await self._client.open_zip(file.url, file.size)
            yield archive
        except (RangesUnsupported, BadZipFile) as error:
            reason = str(error) or "the server does not serve byte ranges"
            raise IndexUnavailable(f"{file.url} cannot be read by ranges: {reason}") from error
        self._report.count(archive.bytes_read)


def _wanted(member: str) -> bool:
    return METADATA.fullmatch(member) is not None or (member.endswith(".py") and "/include/" not in member)


def _unpack(archive: bytes, file: File) -> dict[str, bytes]:
    """The modules of a source archive, by their paths below its top folder.

    Raises:
        IndexUnavailable: the file is not a source archive.
    """
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                stream = tar.extractfile(member) if member.isfile() and _wanted(name) else None
                if stream is not None:
                    found[name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise IndexUnavailable(f"{file.url} is not a source archive: {error}") from None
    return found
