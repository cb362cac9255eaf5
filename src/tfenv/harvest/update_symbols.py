"""`facts update --api`: the public symbols of every release, read off the published wheels."""

from __future__ import annotations

import asyncio
import io
import tarfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable
from tfenv.facts.releases import minor
from tfenv.harvest import api_renames
from tfenv.harvest.api import symbols
from tfenv.harvest.api_parts import LENDERS, LENDERS_OF_KERAS, base, main_file, parts, python_of, stable
from tfenv.harvest.api_rows import condense, entries, linked, links, merge
from tfenv.harvest.api_world import Sources, World, plain
from tfenv.harvest.update_releases import releases_of
from tfenv.harvest.wheel import METADATA, parse_metadata
from tfenv.index.loop import run
from tfenv.model.goal import PYPI
from tfenv.model.package import Name
from tfenv.model.progress import Progress, Silent
from tfenv.store import files
from tfenv.symbols import store
from tfenv.symbols.releases import ReleaseRead, Releases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from tfenv.harvest.api_rows import Entry
    from tfenv.index.client import Client
    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.package import File, Release

OLDEST = {"tensorflow": Version("1.4.0"), "keras": Version("2.0.0")}
"""The packages whose symbols are told, and the first release of each."""

_TENSORFLOW = (Name("tensorflow"), Name("tensorflow-cpu"))
_TASK = "releases"
_AT_ONCE = 8  # releases between two writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file of the table that changes, with how many lines come and go."""

    path: Path
    added: int
    removed: int


@dataclass(slots=True, kw_only=True)
class ApiTally:
    """What an update did.

    Attributes:
        releases: that the table should have.
        kept: of these, those that were read from the same files before.
        read: of these, those that were read now.
        total: bytes of members that were read.
    """

    releases: int = 0
    kept: int = 0
    read: int = 0
    total: int = 0


def update(
    directory: Path,
    told: Callable[[Changed], None],
    *,
    only: Sequence[Version] = (),
    index: str = PYPI,
    write: bool = False,
    progress: Progress | None = None,
    client: Client | None = None,
) -> ApiTally:
    """Bring the table of symbols up to what the index publishes.

    A release that was read from the very same wheel is kept, so a second run reads little, and one that was interrupted
    while writing goes on where it stopped.

    Args:
        directory: `constraints/symbols/api`.
        told: hears of each file that changes.
        only: these releases (of TensorFlow or Keras) instead of all; they are read again even if they are known.
        index: URL of a simple index.
        write: write the files, all of a package or none.
        progress: hears of the releases.
        client: used instead of one of our own; it is left open.

    Raises:
        IndexUnavailable: the index or a file cannot be read.
        UsageError: the rows at hand are damaged, or the index lacks one of the packages.
    """
    work = _Update(directory, told, frozenset(only), index, progress or Silent(), write=write)
    return run(work.all(client))


@dataclass(slots=True)
class _Update:
    directory: Path
    told: Callable[[Changed], None]
    only: frozenset[Version]
    index: str
    progress: Progress
    tally: ApiTally = field(default_factory=ApiTally)
    write: bool = field(default=False, kw_only=True)

    async def all(self, client: Client | None) -> ApiTally:
        if client is None:
            from tfenv.index.client import Client

            async with Client() as own:
                return await self.all(own)
        names = (*_TENSORFLOW, *LENDERS)
        pages = dict(
            zip(names, await asyncio.gather(*(releases_of(name, self.index, client) for name in names)), strict=True)
        )
        reads = _Members(client, self.tally)
        try:
            await self._package(
                "tensorflow", [page for name, page in pages.items() if name in _TENSORFLOW], pages, reads
            )
            await self._package("keras", [pages[Name("keras")]], pages, reads)
            await self._renames(pages, reads)
        finally:
            self.progress.finish(_TASK)
        return self.tally

    async def _package(
        self,
        package: str,
        pages: list[tuple[Release, ...]],
        everything: Mapping[Name, tuple[Release, ...]],
        reads: _Members,
    ) -> None:
        shelf = self.directory / package
        before = store.read(shelf)
        known, rows = store.loads(before)
        told = {row.version: entries(rows, 1 << at) | linked(known, 1 << at) for at, row in enumerate(known.rows)}
        read = {row.version: row for row in known.rows}
        published = stable([one for page in pages for one in page], OLDEST[package])
        mains = {
            version: file
            for version in sorted({one.version for one in published})
            if (file := main_file([one for one in published if one.version == version])) is not None
        }
        missing = []
        for version, file in mains.items():
            wanted = not self.only or version in self.only
            self.tally.releases += wanted
            same = not self.only and version in read and read[version].sources[:1] == (_source(file),)
            self.tally.kept += wanted and same
            if wanted and not same:
                missing.append(version)
        self.progress.start(_TASK, self.tally.releases - self.tally.kept)
        sources = Sources()
        for count, version in enumerate(missing, 1):
            told[version], read[version] = await self._release(package, mains[version], everything, reads, sources)
            self.tally.read += 1
            self.progress.advance(_TASK)
            if self.write and count % _AT_ONCE == 0:
                self._files(shelf, before, read, told)
                before = store.read(shelf)
        self._files(shelf, before, read, told)

    async def _release(
        self,
        package: str,
        main: File,
        everything: Mapping[Name, tuple[Release, ...]],
        reads: _Members,
        sources: Sources,
    ) -> tuple[dict[str, Entry], ReleaseRead]:
        archive = await reads(main)
        requires, names, under = _requires(archive), LENDERS, None
        if package == "keras":
            names = LENDERS_OF_KERAS
            under = base(archive, [one for name in _TENSORFLOW for one in everything[name]], main)
            requires += () if under is None else _requires(await reads(under))
        chosen = parts(requires, {name: everything[name] for name in names}, main)
        lent, keras = (*chosen.files, *([under] if under else [])), chosen.keras
        archives = [archive, *(await asyncio.gather(*map(reads, lent)))]
        linked = frozenset({"keras"}) if keras else frozenset[str]()
        found = await asyncio.to_thread(
            lambda: condense(symbols(World(archives, sources), package, python=python_of(main), linked=linked))
        )
        if not found:
            raise IndexUnavailable(f"{main.url} holds no package `{package}`")
        sources.forget()
        row = ReleaseRead(version=main.version, sources=tuple(map(_source, (main, *lent))), keras=keras)
        return found, row

    def _files(
        self,
        shelf: Path,
        before: Mapping[str, str],
        read: Mapping[Version, ReleaseRead],
        told: Mapping[Version, Mapping[str, Entry]],
    ) -> None:
        releases = Releases(read.values())
        ordered = [told[version] for version in releases.all]
        releases = Releases(read.values(), links(ordered, releases))
        after = store.dumps(releases, merge(ordered))
        changed = {
            stem: after.get(stem, "") for stem in {*before, *after} if before.get(stem, "") != after.get(stem, "")
        }
        for stem in sorted(changed):
            old, new = before.get(stem, "").splitlines(), changed[stem].splitlines()
            gone, come = set(old) - set(new), set(new) - set(old)
            self.told(Changed(path=shelf / f"{stem}.txt", added=len(come), removed=len(gone)))
        if self.write:
            files.write({shelf / f"{stem}.txt": text for stem, text in changed.items() if text}, force=True)
            for stem in (stem for stem, text in changed.items() if not text):
                (shelf / f"{stem}.txt").unlink(missing_ok=True)

    async def _renames(self, pages: Mapping[Name, tuple[Release, ...]], reads: _Members) -> None:
        """The tables of the newest release, then what the newest of older minor releases tell beyond them."""
        published = stable([one for name in _TENSORFLOW for one in pages[name]], OLDEST["tensorflow"])
        newest: dict[str, File] = {}
        for version in dict.fromkeys(one.version for one in published):
            file = main_file([one for one in published if one.version == version])
            if file is not None and not version.is_prerelease:
                newest.setdefault(minor(version), file)
        path = self.directory / "renames.txt"
        before = files.read(path) if path.is_file() else ""
        mains = list(newest.values())
        if before.startswith(f"source\t{_source(mains[0])}\n"):
            return
        tables = {_source(file): api_renames.renames(await reads.some(file, api_renames.wanted)) for file in mains}
        after = api_renames.dumps(tables)
        old, new = set(before.splitlines()), set(after.splitlines())
        self.told(Changed(path=path, added=len(new - old), removed=len(old - new)))
        if self.write:
            files.write({path: after}, force=True)


Held: TypeAlias = "dict[str, tuple[tuple[int, int], bytes]]"
"""Members of a wheel by name, each with checksum and size."""


class _Members:
    """The Python modules and METADATA of published files.

    Of a wheel those members travel that differ, by checksum and size, from what the wheel of the same distribution
    that was read before it holds under the same name; a source archive is read whole.
    """

    def __init__(self, client: Client, tally: ApiTally) -> None:
        self._client = client
        self._tally = tally
        self._held: dict[Name, tuple[str, Held]] = {}

    async def __call__(self, file: File) -> Mapping[str, bytes]:
        """What `World` wants, by name.

        Raises:
            IndexUnavailable: the file cannot be read.
        """
        if not file.is_wheel:
            response = await self._client.get(file.url)
            if response.status_code != 200:
                raise IndexUnavailable(f"{file.url} answered {response.status_code}")
            self._tally.total += len(response.content)
            return _unpack(response.content, file)
        last, before = self._held.get(file.name, ("", {}))
        now = before if last == file.filename else await self._read(file, before)
        self._held[file.name] = (file.filename, now)
        return {name: data for name, (_, data) in now.items()}

    async def _read(self, file: File, before: Held) -> Held:
        async with self._open(file) as archive:
            members = {plain(name): archive.member(name) for name in archive.names() if _wanted(name)}
            marks = {name: (member.crc, member.size) for name, member in members.items()}
            new = {name for name, mark in marks.items() if name not in before or before[name][0] != mark}
            fresh = await archive.read_many(members[name].name for name in new)
        return {
            name: (mark, fresh[members[name].name] if name in new else before[name][1]) for name, mark in marks.items()
        }

    async def some(self, file: File, wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
        """The members of a wheel that are wanted. Errors as above."""
        async with self._open(file) as archive:
            return await archive.read_many(filter(wanted, archive.names()))

    @asynccontextmanager
    async def _open(self, file: File) -> AsyncIterator[RemoteZip]:
        from tfenv.index.client import RangesUnsupported

        try:
            archive = await self._client.open_zip(file.url, file.size)
            yield archive
        except (RangesUnsupported, BadZipFile) as error:
            reason = str(error) or "the server does not serve byte ranges"
            raise IndexUnavailable(f"{file.url} cannot be read by ranges: {reason}") from error
        self._tally.total += archive.bytes_read


def _requires(archive: Mapping[str, bytes]) -> tuple[str, ...]:
    """`Requires-Dist` of a wheel; nothing for a source archive."""
    metadata = next((data for name, data in archive.items() if METADATA.fullmatch(name)), b"")
    return parse_metadata(metadata).requires_dist


def _wanted(member: str) -> bool:
    return METADATA.fullmatch(member) is not None or (member.endswith(".py") and "/include/" not in member)


def _unpack(archive: bytes, file: File) -> dict[str, bytes]:
    """The modules of a source archive, less its top folder.

    Raises:
        IndexUnavailable: it is not such an archive.
    """
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                stream = tar.extractfile(member) if member.isfile() and _wanted(name) else None
                if stream is not None:
                    found[name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise IndexUnavailable(f"{file.url} is no source archive: {error}") from None
    return found


def _source(file: File) -> str:
    return f"{file.filename} sha256:{file.sha256}"


def summary(tally: ApiTally) -> str:
    """One line about an update."""
    return f"{tally.releases} releases: {tally.kept} kept, {tally.read} read ({tally.total / 1e6:.0f} MB of modules)"


def document(tally: ApiTally) -> dict[str, Any]:
    """The same as JSON."""
    return {"releases": tally.releases, "kept": tally.kept, "read": tally.read, "bytes": tally.total}
