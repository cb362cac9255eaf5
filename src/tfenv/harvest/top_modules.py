"""Which distribution brings a module: the top-level modules of published wheels, old and new."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from tfenv.errors import TfenvError
from tfenv.harvest.published import releases_of
from tfenv.index.client import RangesUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tfenv.index.client import Client
    from tfenv.model.package import File, Name, Release

_AT_ONCE: Final = 8
_INSTALLED: Final = re.compile(r"^[^/]+\.data/(?:pure|plat)lib/")
_CODE: Final = re.compile(r"\.(?:py|so|pyd)$")


class TopModules:
    """The distributions of each top-level module.

    A module that the newest release lacks and an older one has comes with the range of releases that have it.
    """

    def __init__(self) -> None:
        self._by_module: dict[str, dict[Name, str]] = {}

    async def read(self, names: Sequence[Name], index: str, client: Client, since: datetime) -> None:
        """Read the directories of two wheels a project: of the newest release, and of the oldest one since a date.

        Projects that cannot be read are left out.
        """
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(name: Name) -> None:
            async with gate:
                try:
                    await self._read(name, index, client, since)
                except TfenvError:
                    return

        await asyncio.gather(*(one(name) for name in names))

    def of(self, module: str) -> tuple[Name, str] | None:
        """The distribution that brings a module, with the specifier of the releases that have it.

        ``None`` if no distribution is known to bring it, or several are and none has its name.
        """
        found = self._by_module.get(module, {})
        same = [name for name in found if name.replace("-", "") == re.sub(r"[-_.]", "", module).lower()]
        names = same or list(found)
        return (names[0], found[names[0]]) if len(names) == 1 else None

    async def _read(self, name: Name, index: str, client: Client, since: datetime) -> None:
        releases = [
            release
            for release in await releases_of(name, index, client)
            if not release.version.is_prerelease and not release.is_yanked and _wheel(release) is not None
        ]
        releases.sort(key=lambda release: release.version)
        if not releases:
            return
        dated = [release for release in releases if _is_since(release, since)] or releases[-1:]
        newest, oldest = await _tops(dated[-1], client), await _tops(dated[0], client)
        for module in newest:
            self._by_module.setdefault(module, {})[name] = ""
        for module in oldest - newest:
            low, high = 0, len(dated) - 1
            while high - low > 1:
                middle = (low + high) // 2
                if module in await _tops(dated[middle], client):
                    low = middle
                else:
                    high = middle
            self._by_module.setdefault(module, {})[name] = f"<{dated[high].version}"


async def _tops(release: Release, client: Client) -> set[str]:
    file = _wheel(release)
    if file is None:
        return set()
    try:
        archive = await client.open_zip(file.url, file.size)
    except (RangesUnsupported, BadZipFile, ValueError):
        return set()
    return set(tops_of(archive.names()))


def tops_of(members: Iterable[str]) -> Iterable[str]:
    """The top-level modules that the members of a wheel install."""
    for member in members:
        path = _INSTALLED.sub("", member)
        if _CODE.search(path) and ".dist-info/" not in path and ".data/" not in path:
            first = path.partition("/")[0].partition(".")[0]
            if first.isidentifier():
                yield first


def _wheel(release: Release) -> File | None:
    wheels = [file for file in release.files if file.is_wheel]
    return max(
        wheels, key=lambda file: ("linux" in file.filename or "any" in file.filename, file.filename), default=None
    )


def _is_since(release: Release, since: datetime) -> bool:
    return any(file.upload_time is not None and file.upload_time >= since for file in release.files)
