"""Symbols that TensorFlow's libraries export to custom ops, read from the published wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable
from tfenv.facts.location import damaged
from tfenv.facts.releases import minor
from tfenv.harvest.exports import exports, library
from tfenv.harvest.published import newest_wheels, source
from tfenv.harvest.update import UpdatedTable
from tfenv.index.client import RangesUnsupported
from tfenv.index.loop import run
from tfenv.symbols.exports import ExportTable, hashed, is_kept, is_kept_of_cc

if TYPE_CHECKING:
    from tfenv.harvest.update import Update
    from tfenv.index.client import Client
    from tfenv.model.package import File

_FILE: Final = "symbols/exports.txt"
_TASK: Final = "libraries"
_LARGEST: Final = 2**30


def refresh(update: Update) -> None:
    """Read the newest patch release of each minor release whose wheel was not read before.

    The file is written after each release, so that an interrupted run continues where it stopped.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read, or a wheel lacks the library.
        UsageError: the existing table is damaged.
    """
    text = update.text(_FILE)
    try:
        table = ExportTable.loads(text) if text else ExportTable(sources={}, names={}, cc={})
    except ValueError as error:
        raise damaged(update.root / _FILE, error) from None
    run(_update(update, table))


async def _update(update: Update, table: ExportTable) -> None:
    report = update.report
    async with update.opened() as client:
        mains = await newest_wheels(update.index, client)
        missing = [v for v, file in mains.items() if update.reread or table.sources.get(v) != source(file)]
        report.checked, report.kept = len(mains), len(mains) - len(missing)
        update.progress.start(_TASK, len(missing))
        try:
            for version in missing:
                names, cc = await _read(client, mains[version])
                report.read += 1
                more = f", {len(cc)} more in libtensorflow_cc" if cc else ""
                report.notes.append(f"{version}: {len(names)} names{more}")
                kept = [one for one in table.sources if minor(one) != minor(version)]
                table = ExportTable(
                    sources={one: table.sources[one] for one in kept} | {version: source(mains[version])},
                    names={one: table.names[one] for one in kept} | {version: names},
                    cc={one: table.cc[one] for one in kept} | {version: cc},
                )
                update.put(_FILE, table.dumps())
                update.progress.advance(_TASK)
        finally:
            update.progress.finish(_TASK)


async def _read(client: Client, file: File) -> tuple[frozenset[int], frozenset[int]]:
    """Hashes of the symbols that a wheel exports: those of the framework, and further ones of `libtensorflow_cc`."""
    found: dict[str, frozenset[str]] = {}
    try:
        archive = await client.open_zip(file.url, file.size)
        for member in filter(library, archive.names()):
            found[library(member)] = exports(await archive.read(member, limit=_LARGEST))
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    if "framework" not in found:
        raise IndexUnavailable(f"{file.url} does not contain `libtensorflow_framework.so`")
    names = found["framework"]
    cc = filter(is_kept_of_cc, found.get("cc", frozenset()) - names)
    return frozenset(map(hashed, filter(is_kept, names))), frozenset(map(hashed, cc))


TABLE = UpdatedTable(name="exports", about="symbols that TensorFlow's libraries export to custom ops", refresh=refresh)
