"""`facts update --exports`: what TensorFlow's libraries export, read off the published wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.releases import minor
from tfenv.harvest.exports import exports, library
from tfenv.harvest.newest import newest_wheels, source
from tfenv.index.loop import run
from tfenv.model.goal import PYPI
from tfenv.model.progress import Progress, Silent
from tfenv.store import files
from tfenv.symbols.exports import ExportTable, hashed, is_kept, is_kept_of_cc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfenv.index.client import Client
    from tfenv.model.package import File

_TASK = "libraries"
_LARGEST = 2**30


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
        path: `constraints/symbols/exports.txt`.
        told: hears of each release, with how many names it exports.
        index: URL of a simple index.
        write: write the file after each release, so that an interrupted run goes on where it stopped.
        progress: hears of the releases.
        client: used instead of one of our own; it is left open.

    Returns:
        How many releases were read.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read, or it holds no such library.
        UsageError: the table at hand is damaged.
    """
    try:
        table = ExportTable.loads(files.read(path)) if path.is_file() else ExportTable(sources={}, names={}, cc={})
    except ValueError as error:
        raise UsageError(f"`{path}` is damaged: {error}", hint="delete it to read all libraries again") from None

    def keep(table: ExportTable) -> None:
        if write:
            files.write({path: table.dumps()}, force=True)

    return run(_update(table, keep, told, index, progress or Silent(), client))


async def _update(
    table: ExportTable,
    keep: Callable[[ExportTable], None],
    told: Callable[[str], None],
    index: str,
    progress: Progress,
    client: Client | None,
) -> int:
    if client is None:
        from tfenv.index.client import Client

        async with Client() as own:
            return await _update(table, keep, told, index, progress, own)
    mains = await newest_wheels(index, client)
    missing = [version for version, file in mains.items() if table.sources.get(version) != source(file)]
    progress.start(_TASK, len(missing))
    try:
        for version in missing:
            names, cc = await _read(client, mains[version])
            told(f"{version}: {len(names)} names" + (f", {len(cc)} more in libtensorflow_cc" if cc else ""))
            kept = [one for one in table.sources if minor(one) != minor(version)]
            table = ExportTable(
                sources={one: table.sources[one] for one in kept} | {version: source(mains[version])},
                names={one: table.names[one] for one in kept} | {version: names},
                cc={one: table.cc[one] for one in kept} | {version: cc},
            )
            keep(table)
            progress.advance(_TASK)
    finally:
        progress.finish(_TASK)
    return len(missing)


async def _read(client: Client, file: File) -> tuple[frozenset[int], frozenset[int]]:
    """The hashes of what the libraries in a wheel export: of the framework, and of `libtensorflow_cc` beyond it."""
    from tfenv.index.client import RangesUnsupported

    found: dict[str, frozenset[str]] = {}
    try:
        archive = await client.open_zip(file.url, file.size)
        for member in filter(library, archive.names()):
            found[library(member)] = exports(await archive.read(member, limit=_LARGEST))
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    if "framework" not in found:
        raise IndexUnavailable(f"{file.url} holds no `libtensorflow_framework.so`")
    names = found["framework"]
    cc = filter(is_kept_of_cc, found.get("cc", frozenset()) - names)
    return frozenset(map(hashed, filter(is_kept, names))), frozenset(map(hashed, cc))
