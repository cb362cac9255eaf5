"""Private modules in the wheels of TensorFlow, read from the wheels' directories."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable
from tfenv.facts.location import damaged
from tfenv.harvest.published import newest_wheels, source
from tfenv.harvest.update import UpdatedTable
from tfenv.index.client import RangesUnsupported
from tfenv.index.loop import run
from tfenv.symbols.modules import ModuleTable, module_of

if TYPE_CHECKING:
    from tfenv.harvest.update import Update
    from tfenv.index.client import Client
    from tfenv.model.package import File

_FILE: Final = "symbols/modules.txt"
_TASK: Final = "wheels"


def refresh(update: Update) -> None:
    """Read the newest patch release of each minor release whose wheel was not read before.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read.
        UsageError: the existing table is damaged.
    """
    text = update.text(_FILE)
    try:
        table = ModuleTable.loads(text) if text else ModuleTable({}, {})
    except ValueError as error:
        raise damaged(update.root / _FILE, error) from None
    run(_update(update, table))


async def _update(update: Update, table: ModuleTable) -> None:
    report = update.report
    async with update.opened() as client:
        mains = await newest_wheels(update.index, client)
        missing = [v for v, file in mains.items() if update.reread or table.sources.get(v) != source(file)]
        found = {version: table.of(version) for version in mains if version not in missing}
        report.checked, report.kept = len(mains), len(found)
        update.progress.start(_TASK, len(missing))
        try:
            for version in missing:
                found[version] = await _read(client, mains[version])
                report.read += 1
                report.notes.append(f"{version}: {len(found[version])} modules")
                update.progress.advance(_TASK)
        finally:
            update.progress.finish(_TASK)
    if missing:
        sources = {version: source(file) for version, file in mains.items()}
        update.put(_FILE, ModuleTable.made(sources, found).dumps())


async def _read(client: Client, file: File) -> frozenset[str]:
    try:
        archive = await client.open_zip(file.url, file.size)
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    found = {name for name in map(module_of, archive.names()) if name}
    # a folder without `__init__.py` is a package too
    return frozenset(name for one in found for name in accumulate(one.split("."), "{}.{}".format) if "." in name)


TABLE = UpdatedTable(name="modules", about="private modules in the wheels of TensorFlow", refresh=refresh)
