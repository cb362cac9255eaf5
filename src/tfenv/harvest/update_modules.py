"""`facts update --modules`: which private modules lie in the wheels of TensorFlow, read off their directories."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.harvest.newest import newest_wheels, source
from tfenv.index.loop import run
from tfenv.model.goal import PYPI
from tfenv.model.progress import Progress, Silent
from tfenv.store import files
from tfenv.symbols.modules import ModuleTable, module_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfenv.index.client import Client
    from tfenv.model.package import File

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
        path: `constraints/symbols/modules.txt`.
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
    mains = await newest_wheels(index, client)
    missing = [version for version, file in mains.items() if table.sources.get(version) != source(file)]
    found = {version: table.of(version) for version in mains if version not in missing}
    progress.start(_TASK, len(missing))
    try:
        for version in missing:
            found[version] = await _read(client, mains[version])
            told(f"{version}: {len(found[version])} modules")
            progress.advance(_TASK)
    finally:
        progress.finish(_TASK)
    return ModuleTable.made({version: source(file) for version, file in mains.items()}, found), len(missing)


async def _read(client: Client, file: File) -> frozenset[str]:
    from tfenv.index.client import RangesUnsupported

    try:
        archive = await client.open_zip(file.url, file.size)
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    found = {name for name in map(module_of, archive.names()) if name}
    # a folder without `__init__.py` is a package too
    return frozenset(name for one in found for name in accumulate(one.split("."), "{}.{}".format) if "." in name)
