"""`facts show` and `facts update`: the rows of the database told, and read off the published wheels again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts import silent
from tfenv.facts.releases import ReleaseFacts, ReleaseTable, dumps, minor
from tfenv.harvest.libraries import Inside, due, inside, with_known, with_libraries
from tfenv.harvest.releases import again, can_have_cuda, harvest_release, still_true
from tfenv.index.loop import run
from tfenv.model.goal import PYPI
from tfenv.model.package import TENSORFLOW, Name, Release
from tfenv.model.progress import Progress, Silent
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tfenv.facts.silent import SilentRow
    from tfenv.harvest.releases import Reader
    from tfenv.index.client import Client
    from tfenv.model.package import File

NAMES = (Name("tensorflow"), Name("tensorflow-cpu"), Name("tensorflow-gpu"), Name("tensorflow-cpu-aws"))
"""The distributions in the database; the last holds what `tensorflow` 2.10 to 2.15 installs on aarch64."""

OLDEST = Version("1.4.0")
BYTES_A_WHEEL = 5_000_000
_AT_ONCE = 16
_TASK = "wheels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file of the database as it is and as it should be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The difference in unified form."""
        name = f"constraints/facts/tensorflow/{self.path.name}"
        lines = unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
        return "".join(lines)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What an update did.

    Attributes:
        releases: that the database should have.
        kept: of these, whose row was there and complete.
        wheels: that were read.
        most: bytes transferred for the wheel that needed most.
        total: bytes transferred for all wheels.
        libraries: wheels whose libraries were read; their bytes are in `total` only.
        without_build: wheels that hold no `build_info.py` in a known form.
    """

    releases: int = 0
    kept: int = 0
    wheels: int = 0
    most: int = 0
    total: int = 0
    libraries: int = 0
    without_build: list[str] = field(default_factory=list)


def show(name: Name, version: Version, table: ReleaseTable) -> dict[str, Any]:
    """A row as the JSON document of the contract.

    Raises:
        UsageError: the database has no such release.
    """
    row = table.release(name, version)
    if row is None:
        known = ", ".join(str(one) for one in table.versions(name)[:8])
        hint = f"newest known: {known}; `tfenv facts update --write` reads new ones" if known else None
        raise UsageError(f"the database has no `{name}=={version}`", hint=hint)
    return {
        "name": row.name,
        "version": str(row.version),
        "requires_python": row.requires_python,
        "uploaded": row.uploaded.strftime("%Y-%m-%dT%H:%M:%SZ") if row.uploaded else None,
        "wheels": [
            {
                "python": wheel.python,
                "platform": wheel.platform_tag.split(".")[0],
                "size": wheel.size,
                "sha256": wheel.sha256,
                "requires_dist": None if wheel.requires_dist is None else list(wheel.requires_dist),
                "requires_python": wheel.requires_python,
                "filename": wheel.filename,
                "glibc": _text(wheel.glibc),
                "glibcxx": _text(wheel.glibcxx),
                "yanked": wheel.yanked,
            }
            for wheel in row.wheels
        ],
        "builds": [
            {
                "platform": build.platform.value,
                "cuda": _text(build.cuda),
                "cudnn": _text(build.cudnn),
                "cudnn_floor": _text(build.cudnn_floor),
                "sass": [str(architecture) for architecture in build.sass],
                "ptx": [str(architecture) for architecture in build.ptx],
                "partial": [str(architecture) for architecture in build.partial],
                "compiler": build.compiler,
                "tensorrt": build.tensorrt,
                "inferred": list(build.inferred),
                "unknown": list(build.unknown),
                "sources": [build.source, *build.evidence],
            }
            for build in row.builds
        ],
        "sources": list(row.sources),
        "tier": row.tier,
    }


def update(
    directory: Path,
    told: Callable[[Change], None],
    *,
    names: Sequence[Name] = NAMES,
    index: str = PYPI,
    write: bool = False,
    reread: bool = False,
    progress: Progress | None = None,
    client: Client | None = None,
) -> Tally:
    """Bring the rows of `directory` up to what the index publishes, one minor release after the other, newest first.

    Rows whose wheels are still those of the index are kept, so a second run reads no wheel, and one that was
    interrupted while writing goes on where it stopped.

    Args:
        directory: `constraints/facts/tensorflow`.
        told: hears of each file that changes, before it is written.
        names: distributions to look at; the rows of others stay as they are.
        index: URL of a simple index.
        write: write the files, each whole or not at all.
        reread: read every wheel, also where the row is of this very wheel; what then differs is wrong in the database.
        progress: hears of the wheels.
        client: used instead of one of our own; it is left open.

    Raises:
        IndexUnavailable: the index or a wheel cannot be read.
        UsageError: the rows at hand are damaged, or a name is none of `NAMES` or not on the index.
    """
    strange = [name for name in names if name not in NAMES]
    if strange:
        raise UsageError(f"`{strange[0]}` is not in the database", hint=f"it holds {', '.join(NAMES)}")
    reporter = progress or Silent()
    return run(_update(directory, told, names, index, reporter, client, write=write, reread=reread))


def reader(client: Client, tally: Tally | None = None, *, at_once: int = _AT_ONCE) -> Reader:
    """Reads members of published wheels by byte ranges, several wheels at once."""
    gate = asyncio.Semaphore(at_once)

    async def read(file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        from tfenv.index.client import RangesUnsupported

        async with gate:
            try:
                archive = await client.open_zip(file.url, file.size)
                members = await archive.read_many(filter(wanted, archive.names()))
            except (RangesUnsupported, BadZipFile) as error:
                reason = str(error) or "the server does not serve byte ranges"
                raise IndexUnavailable(f"{file.url} cannot be read by ranges: {reason}") from error
        if tally is not None:
            tally.wheels += 1
            tally.most = max(tally.most, archive.bytes_read)
            tally.total += archive.bytes_read
        return members

    return read


def published(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Those with wheels, stable and since 1.4.0, and the newest candidate if no stable one is newer."""
    real = sorted((one for one in releases if any(file.is_wheel for file in one.files)), key=lambda one: one.version)
    kept = [one for one in real if one.version >= OLDEST and not one.version.is_prerelease]
    newest = real[-1:]
    return tuple(kept + [one for one in newest if one.version.is_prerelease and one.version >= OLDEST])


async def _update(
    directory: Path,
    told: Callable[[Change], None],
    names: Sequence[Name],
    index: str,
    progress: Progress,
    client: Client | None,
    *,
    write: bool,
    reread: bool,
) -> Tally:
    from tfenv.index.client import Client

    if client is None:
        async with Client() as own:
            return await _update(directory, told, names, index, progress, own, write=write, reread=reread)
    rows = silent.load(directory / "silent.toml")
    pages = await asyncio.gather(*(releases_of(name, index, client) for name in names))
    wanted = {(release.name, release.version): release for page in pages for release in published(page)}
    table, tally = ReleaseTable(directory), Tally(releases=len(wanted))
    stems = sorted({minor(version) for _, version in wanted} | set(table.minors), key=Version, reverse=True)
    reading = reader(client, tally)

    async def libraries(file: File, *, code: bool) -> Inside:
        found, transferred = await inside(client, file, code=code)
        if found.glibc is not None:
            tally.libraries += 1
            tally.total += transferred
        return found

    progress.start(_TASK, sum(can_have_cuda(file) for release in wanted.values() for file in release.files))
    for name, page in zip(names, pages, strict=True):
        if not published(page):
            raise IndexUnavailable(f"{index} lists no release of `{name}` since {OLDEST}")
    try:
        for stem in stems:
            path = table.path(stem)
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            here = [release for release in wanted.values() if minor(release.version) == stem]
            found = await asyncio.gather(
                *(_row(one, table, rows, reading, progress, tally, reread=reread) for one in here)
            )
            newest = max((row.version for row in found if row.name == TENSORFLOW), default=None)
            for at, (row, release) in enumerate(zip(found, here, strict=True)):
                stands = row.name == TENSORFLOW and row.version == newest
                wheels = due(row, stands_for_minor=stands)
                whole = await with_libraries(row, wheels, release.files, libraries)
                found[at] = replace(whole, builds=again(whole, rows))
            others = [row for row in table if row.name not in names and minor(row.version) == stem]
            after = dumps([*found, *others]) if found or others else ""
            if after != before:
                told(Change(path=path, before=before, after=after))
                if write:
                    files.write({path: after}, force=True)
    finally:
        progress.finish(_TASK)
    return tally


async def _row(
    release: Release,
    table: ReleaseTable,
    rows: tuple[SilentRow, ...],
    reading: Reader,
    progress: Progress,
    tally: Tally,
    *,
    reread: bool,
) -> ReleaseFacts:
    """The row as it is now; of the one there is, wheels that are still the same are not read again."""
    known = None if reread else table.release(release.name, release.version)
    kept = {} if known is None else still_true(known, release.files)
    unread = [file.filename for file in release.files if can_have_cuda(file) and file.filename not in kept]
    progress.advance(_TASK, sum(map(can_have_cuda, release.files)) - len(unread))
    tally.kept += not unread

    async def counted(file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        members = await reading(file, wanted)
        progress.advance(_TASK)
        return members

    row = await harvest_release(release.name, release.version, release.files, counted, silent=rows, known=known)
    built = {build.platform for build in row.builds}
    tally.without_build += [name for name in unread if (wheel := row.wheel(name)) and wheel.platform not in built]
    return with_known(row, table.release(release.name, release.version))


async def releases_of(name: Name, index: str, client: Client) -> tuple[Release, ...]:
    """What an index lists of a project, newest first.

    Raises:
        UsageError: it has no such project.
        IndexUnavailable: it does not answer as it should.
    """
    from tfenv.index.pages import ACCEPT, parse, releases

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
        raise IndexUnavailable(f"{url} is no page of a package index: {error}") from error
    return releases(name, listing)


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
