"""The rows of TensorFlow's releases, read off the published wheels: one minor release after the other, newest first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts import silent
from tfenv.facts.releases import ReleaseFacts, ReleaseTable, dumps, minor
from tfenv.harvest.libraries import Inside, due, inside, with_known, with_libraries
from tfenv.harvest.published import OLDEST, published, releases_of
from tfenv.harvest.releases import again, can_have_cuda, harvest_release, still_true
from tfenv.harvest.update import UpdatedTable
from tfenv.index.client import RangesUnsupported
from tfenv.index.loop import run
from tfenv.model.package import TENSORFLOW, Name, Release, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfenv.facts.silent import SilentRow
    from tfenv.harvest.releases import Reader
    from tfenv.harvest.update import TableReport, Update
    from tfenv.index.client import Client
    from tfenv.model.package import File

NAMES = (Name("tensorflow"), Name("tensorflow-cpu"), Name("tensorflow-gpu"), Name("tensorflow-cpu-aws"))
"""Distributions in the facts; the last one is what `tensorflow` 2.10 to 2.15 installs on aarch64."""

BYTES_A_WHEEL = 5_000_000
_FOLDER = "facts/tensorflow"
_AT_ONCE = 16
_TASK = "wheels"


def refresh(update: Update) -> None:
    """Bring the rows up to what the index publishes.

    Rows whose wheels have not changed on the index are kept: a second run reads no wheel, and a run after an
    interrupted one continues where that one stopped.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read.
        UsageError: the rows at hand are damaged, or a name is not one of `NAMES` or not on the index.
    """
    names = tuple(map(normalize, update.only)) or NAMES
    strange = [name for name in names if name not in NAMES]
    if strange:
        raise UsageError(f"the facts do not cover releases of `{strange[0]}`", hint=f"they cover {', '.join(NAMES)}")
    run(_update(update, names))


def reader(client: Client, report: TableReport | None = None, *, at_once: int = _AT_ONCE) -> Reader:
    """Reader of members of published wheels by byte ranges, several wheels at once."""
    gate = asyncio.Semaphore(at_once)

    async def read(file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        async with gate:
            try:
                archive = await client.open_zip(file.url, file.size)
                members = await archive.read_many(filter(wanted, archive.names()))
            except (RangesUnsupported, BadZipFile) as error:
                reason = str(error) or "the server does not serve byte ranges"
                raise IndexUnavailable(f"{file.url} cannot be read by ranges: {reason}") from error
        if report is not None:
            report.count(archive.bytes_read)
        return members

    return read


async def _update(update: Update, names: tuple[Name, ...]) -> None:
    directory, report, progress = update.root / _FOLDER, update.report, update.progress
    rows = silent.load(directory / "silent.toml")
    async with update.opened() as client:
        pages = await asyncio.gather(*(releases_of(name, update.index, client) for name in names))
        wanted = {(release.name, release.version): release for page in pages for release in published(page)}
        table = ReleaseTable(directory)
        report.checked = len(wanted)
        stems = sorted({minor(version) for _, version in wanted} | set(table.minors), key=Version, reverse=True)
        reading = reader(client, report)

        async def libraries(file: File, *, code: bool) -> Inside:
            found, transferred = await inside(client, file, code=code)
            report.bytes += transferred
            return found

        progress.start(_TASK, sum(can_have_cuda(file) for release in wanted.values() for file in release.files))
        for name, page in zip(names, pages, strict=True):
            if not published(page):
                raise IndexUnavailable(f"{update.index} lists no release of `{name}` since {OLDEST}")
        try:
            for stem in stems:
                here = [release for release in wanted.values() if minor(release.version) == stem]
                found = await asyncio.gather(*(_row(one, table, rows, reading, update) for one in here))
                newest = max((row.version for row in found if row.name == TENSORFLOW), default=None)
                for at, (row, release) in enumerate(zip(found, here, strict=True)):
                    newest_of_minor = row.name == TENSORFLOW and row.version == newest
                    wheels = due(row, newest_of_minor=newest_of_minor)
                    whole = await with_libraries(row, wheels, release.files, libraries)
                    found[at] = replace(whole, builds=again(whole, rows))
                others = [row for row in table if row.name not in names and minor(row.version) == stem]
                update.put(f"{_FOLDER}/{stem}.toml", dumps([*found, *others]) if found or others else "")
        finally:
            progress.finish(_TASK)


async def _row(
    release: Release,
    table: ReleaseTable,
    rows: tuple[SilentRow, ...],
    reading: Reader,
    update: Update,
) -> ReleaseFacts:
    """The row as published now; wheels that have not changed since the previous row are only read again on request."""
    known = None if update.reread else table.release(release.name, release.version)
    kept = {} if known is None else still_true(known, release.files)
    unread = [file.filename for file in release.files if can_have_cuda(file) and file.filename not in kept]
    update.progress.advance(_TASK, sum(map(can_have_cuda, release.files)) - len(unread))
    update.report.kept += not unread
    update.report.read += bool(unread)

    async def counted(file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        members = await reading(file, wanted)
        update.progress.advance(_TASK)
        return members

    row = await harvest_release(release.name, release.version, release.files, counted, silent=rows, known=known)
    built = {build.platform for build in row.builds}
    update.report.notes += [
        f"{name} says nothing of its build"
        for name in unread
        if (wheel := row.wheel(name)) and wheel.platform not in built
    ]
    return row if update.reread else with_known(row, table.release(release.name, release.version))


TABLE = UpdatedTable(
    name="releases",
    about="TensorFlow's releases: wheels, requirements, CUDA, cuDNN and machine code",
    of="distributions",
    refresh=refresh,
)
