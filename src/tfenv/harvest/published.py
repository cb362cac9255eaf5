"""Releases that an index publishes, and the wheel that represents each minor release."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.releases import minor
from tfenv.harvest.public.parts import main_file, stable
from tfenv.index.pages import ACCEPT, parse, releases
from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.index.client import Client
    from tfenv.model.package import File, Release

OLDEST = Version("1.4.0")
"""The first release of TensorFlow in the facts."""

_WITH_MODULES = (Name("tensorflow"), Name("tensorflow-cpu"))


def published(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Stable releases since 1.4.0 that have wheels, and the newest release candidate if no stable release is newer."""
    real = sorted((one for one in releases if any(file.is_wheel for file in one.files)), key=lambda one: one.version)
    kept = [one for one in real if one.version >= OLDEST and not one.version.is_prerelease]
    newest = real[-1:]
    return tuple(kept + [one for one in newest if one.version.is_prerelease and one.version >= OLDEST])


async def releases_of(name: Name, index: str, client: Client) -> tuple[Release, ...]:
    """Releases of a project on an index, newest first.

    Raises:
        UsageError: the index does not have the project.
        IndexUnavailable: the index does not answer, or not with a page of releases.
    """
    url = f"{index.rstrip('/')}/{name}/"
    response = await client.get(url, {"Accept": ACCEPT})
    if response.status_code != 200:
        raise UsageError(f"{url} answered {response.status_code}: the index has no project `{name}`")
    try:
        listing = parse(
            response.content,
            response.headers.get("Content-Type", ""),
            url=str(response.url),
            name=name,
            index=f"{index.rstrip('/')}/",
        )
    except ValueError as error:
        raise IndexUnavailable(f"{url} is not a page of a package index: {error}") from error
    return releases(name, listing)


async def newest_wheels(index: str, client: Client) -> dict[Version, File]:
    """The wheel of the newest patch release of each minor release, oldest first.

    Releases without a Linux wheel are omitted.

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    pages = await asyncio.gather(*(releases_of(name, index, client) for name in _WITH_MODULES))
    listed = stable([one for page in pages for one in page], OLDEST)
    newest = {minor(one.version): one.version for one in reversed(listed)}
    return {
        version: file
        for version in sorted(newest.values())
        if (file := main_file([one for one in listed if one.version == version])) is not None
    }


def source(file: File) -> str:
    """Name and hash of a file, in the form that tables cite."""
    return f"{file.filename} sha256:{file.sha256}"
