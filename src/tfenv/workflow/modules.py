"""`facts update --modules`: which private modules lie in the wheels of TensorFlow, read off their directories."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.modules import ModuleTable, module_of
from tfenv.facts.releases import minor
from tfenv.harvest.api_parts import main_file, stable
from tfenv.index.loop import run
from tfenv.model.package import Name
from tfenv.model.progress import Progress, Silent
from tfenv.model.request import PYPI
from tfenv.workflow import files
from tfenv.workflow.facts import releases_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfenv.index.client import Client
    from tfenv.model.package import File

OLDEST: Final = Version("1.4.0")

_NAMES: Final = (Name("tensorflow"), Name("tensorflow-cpu"))
_TASK: Final = "wheels"


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
        table = ModuleTable.loads(files.read(path)) if path.is_file() else ModuleTable({}, {})
    except ValueError as error:
        raise UsageError(f"`{path}` is damaged: {error}", hint="delete it to read all wheels again") from None
    table, read = run(_update(table, told, index, progress or Silent(), client))
    if write and read:
        files.write({path: table.dumps()}, force=True)
    return read


async def _update(
    table: ModuleTable, told: Callable[[str], None], index: str, progress: Progress, client: Client | None
) -> tuple[ModuleTable, int]:
    if client is None:
        from tfenv.index.client import Client

        async with Client() as own:
            return await _update(table, told, index, progress, own)
    pages = await asyncio.gather(*(releases_of(name, index, client) for name in _NAMES))
    published = stable([one for page in pages for one in page], OLDEST)
    newest = {minor(one.version): one.version for one in reversed(published)}
    mains = {
        version: file
        for version in sorted(newest.values())
        if (file := main_file([one for one in published if one.version == version])) is not None
    }
    missing = [version for version, file in mains.items() if table.sources.get(version) != _source(file)]
    found = {version: table.of(version) for version in mains if version not in missing}
    progress.start(_TASK, len(missing))
    try:
        for version in missing:
            found[version] = await _read(client, mains[version])
            told(f"{version}: {len(found[version])} modules")
            progress.advance(_TASK)
    finally:
        progress.finish(_TASK)
    return ModuleTable.made({version: _source(file) for version, file in mains.items()}, found), len(missing)


async def _read(client: Client, file: File) -> frozenset[str]:
    from tfenv.index.client import RangesUnsupported

    try:
        archive = await client.open_zip(file.url, file.size)
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    found = {name for name in map(module_of, archive.names()) if name}
    # a folder without `__init__.py` is a package too
    return frozenset(name for one in found for name in accumulate(one.split("."), "{}.{}".format) if "." in name)


def _source(file: File) -> str:
    return f"{file.filename} sha256:{file.sha256}"
