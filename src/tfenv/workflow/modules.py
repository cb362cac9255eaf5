"""`facts update --modules`: which modules lie in the wheels of TensorFlow and Keras, read off their directories."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.modules import Modules, ModuleTable, module_of
from tfenv.facts.releases import minor
from tfenv.harvest.api_parts import main_file, stable
from tfenv.model.package import Name
from tfenv.model.progress import Progress, Silent
from tfenv.model.request import PYPI
from tfenv.workflow import files
from tfenv.workflow.facts import releases_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tfenv.index.client import Client
    from tfenv.model.package import File

PACKAGES: Final = {
    "tensorflow": ((Name("tensorflow"), Name("tensorflow-cpu")), Version("1.4.0")),
    "keras": ((Name("keras"),), Version("2.0.7")),  # the first with a wheel
}
"""By the name that is imported: the distributions that bring it, and the oldest release that is read."""


def update(
    path: Path,
    told: Callable[[str], None],
    *,
    index: str = PYPI,
    write: bool = False,
    progress: Progress | None = None,
    client: Client | None = None,
) -> int:
    """Read the newest patch release of each minor release whose wheel was not read before.

    Args:
        path: `constraints/modules.txt`.
        told: hears of each release, with how many modules it has.
        index: URL of a simple index.
        write: write the file.
        progress: hears of the releases.
        client: used instead of one of our own; it is left open.

    Returns:
        How many wheels were read.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read.
        UsageError: the table at hand is damaged.
    """
    try:
        table = ModuleTable.loads(files.read(path)) if path.is_file() else ModuleTable({})
    except ValueError as error:
        raise UsageError(f"`{path}` is damaged: {error}", hint="delete it to read all wheels again") from None
    packages, read = asyncio.run(_update(table, told, index, progress or Silent(), client))
    if write and read:
        files.write({path: ModuleTable(packages).dumps()}, force=True)
    return read


async def _update(
    table: ModuleTable, told: Callable[[str], None], index: str, progress: Progress, client: Client | None
) -> tuple[dict[str, Modules], int]:
    if client is None:
        from tfenv.index.client import Client

        async with Client() as own:
            return await _update(table, told, index, progress, own)
    packages, read = {}, 0
    for package, (names, oldest) in PACKAGES.items():
        known = table.packages.get(package, Modules({}, {}))
        mains = await _newest(names, oldest, index, client)
        missing = [version for version, file in mains.items() if known.sources.get(version) != _source(file)]
        found = {version: known.of(version) for version in mains if version not in missing}
        progress.start(package, len(missing))
        try:
            for version in missing:
                found[version] = await _read(client, mains[version], package)
                told(f"{package} {version}: {len(found[version])} modules")
                progress.advance(package)
        finally:
            progress.finish(package)
        packages[package] = Modules.made({version: _source(file) for version, file in mains.items()}, found)
        read += len(missing)
    return packages, read


async def _newest(names: Iterable[Name], oldest: Version, index: str, client: Client) -> dict[Version, File]:
    """A wheel of the newest patch release of each minor release, oldest first."""
    pages = await asyncio.gather(*(releases_of(name, index, client) for name in names))
    published = stable([one for page in pages for one in page], oldest)
    newest = {minor(one.version): one.version for one in reversed(published)}
    mains = {version: main_file([one for one in published if one.version == version]) for version in newest.values()}
    return {version: file for version, file in sorted(mains.items()) if file is not None and file.is_wheel}


async def _read(client: Client, file: File, package: str) -> frozenset[str]:
    from tfenv.index.client import RangesUnsupported

    try:
        archive = await client.open_zip(file.url, file.size)
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    found = {name for name in map(module_of, archive.names()) if name.partition(".")[0] == package}
    if not found:
        raise IndexUnavailable(f"{file.url} holds no module of `{package}`")
    # a folder without `__init__.py` is a package too
    return frozenset(name for one in found for name in accumulate(one.split("."), "{}.{}".format) if name != package)


def _source(file: File) -> str:
    return f"{file.filename} sha256:{file.sha256}"
