"""The wheel that stands for a minor release of TensorFlow: that of its newest patch release."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tfenv.facts.releases import minor
from tfenv.harvest.api_parts import main_file, stable
from tfenv.harvest.update_releases import OLDEST, releases_of
from tfenv.model.package import Name

if TYPE_CHECKING:
    from packaging.version import Version

    from tfenv.index.client import Client
    from tfenv.model.package import File

_NAMES = (Name("tensorflow"), Name("tensorflow-cpu"))


async def newest_wheels(index: str, client: Client) -> dict[Version, File]:
    """By version, oldest first; releases without a wheel for Linux are left out.

    Raises:
        IndexUnavailable: the index cannot be read.
    """
    pages = await asyncio.gather(*(releases_of(name, index, client) for name in _NAMES))
    published = stable([one for page in pages for one in page], OLDEST)
    newest = {minor(one.version): one.version for one in reversed(published)}
    return {
        version: file
        for version in sorted(newest.values())
        if (file := main_file([one for one in published if one.version == version])) is not None
    }


def source(file: File) -> str:
    """How a table says which wheel was read."""
    return f"{file.filename} sha256:{file.sha256}"
