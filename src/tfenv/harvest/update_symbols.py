"""The public symbols of every release, read from the published wheels."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.facts.releases import minor
from tfenv.harvest.members import Members
from tfenv.harvest.public import renames
from tfenv.harvest.public.entries import condense, entries, linked, links, merge
from tfenv.harvest.public.parts import LENDERS, LENDERS_OF_KERAS, base, main_file, parts, python_of, stable
from tfenv.harvest.public.symbols import symbols
from tfenv.harvest.public.trees import ModuleTrees, Sources
from tfenv.harvest.published import releases_of, source
from tfenv.harvest.update import UpdatedTable
from tfenv.harvest.wheel import METADATA, parse_metadata
from tfenv.index.loop import run
from tfenv.model.package import Name
from tfenv.symbols import store
from tfenv.symbols.releases import ReleaseRead, Releases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfenv.harvest.public.entries import Entry
    from tfenv.harvest.update import Update
    from tfenv.model.package import File, Release

OLDEST = {"tensorflow": Version("1.4.0"), "keras": Version("2.0.0")}
"""Packages whose symbols are recorded, and the first release of each."""

_TENSORFLOW = (Name("tensorflow"), Name("tensorflow-cpu"))
_TASK = "releases"
_FOLDER = "symbols/api"
_RENAMES = f"{_FOLDER}/renames.txt"
_AT_ONCE = 8  # releases between two writes


def refresh(update: Update) -> None:
    """Bring the tables of symbols up to what the index publishes.

    A release whose wheel has not changed is kept: a second run reads little, and a run after an interrupted one
    continues where that one stopped. Releases named in `only` are read again.

    Raises:
        IndexUnavailable: the index or a file cannot be read.
        UsageError: the existing rows are damaged, the index lacks a package, or a name in `only` is not a version.
    """
    try:
        only = frozenset(map(Version, update.only))
    except InvalidVersion as error:
        raise UsageError(f"{error}", hint="name releases of TensorFlow or Keras, such as `2.15.1`") from None
    run(_Work(update, only).all())


@dataclass(frozen=True, slots=True)
class _Work:
    update: Update
    only: frozenset[Version]

    async def all(self) -> None:
        names = (*_TENSORFLOW, *LENDERS)
        async with self.update.opened() as client:
            found = await asyncio.gather(*(releases_of(name, self.update.index, client) for name in names))
            pages = dict(zip(names, found, strict=True))
            reads = Members(client, self.update.report)
            try:
                await self._package(
                    "tensorflow", [page for name, page in pages.items() if name in _TENSORFLOW], pages, reads
                )
                await self._package("keras", [pages[Name("keras")]], pages, reads)
                await self._renames(pages, reads)
            finally:
                self.update.progress.finish(_TASK)

    async def _package(
        self,
        package: str,
        pages: list[tuple[Release, ...]],
        everything: Mapping[Name, tuple[Release, ...]],
        reads: Members,
    ) -> None:
        shelf, report = self.update.root / _FOLDER / package, self.update.report
        before = store.read(shelf)
        known, rows = store.loads(before)
        by_release = {row.version: entries(rows, 1 << at) | linked(known, 1 << at) for at, row in enumerate(known.rows)}
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
            report.checked += wanted
            again = self.only or self.update.reread
            same = not again and version in read and read[version].sources[:1] == (source(file),)
            report.kept += wanted and same
            if wanted and not same:
                missing.append(version)
        self.update.progress.start(_TASK, report.checked - report.kept)
        trees = Sources()
        for count, version in enumerate(missing, 1):
            by_release[version], read[version] = await self._release(package, mains[version], everything, reads, trees)
            report.read += 1
            self.update.progress.advance(_TASK)
            if self.update.write and count % _AT_ONCE == 0:
                self._put(package, before, read, by_release)
                before = store.read(shelf)
        self._put(package, before, read, by_release)

    async def _release(
        self,
        package: str,
        main: File,
        everything: Mapping[Name, tuple[Release, ...]],
        reads: Members,
        trees: Sources,
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
            lambda: condense(symbols(ModuleTrees(archives, trees), package, python=python_of(main), linked=linked))
        )
        if not found:
            raise IndexUnavailable(f"{main.url} does not contain the package `{package}`")
        trees.forget()
        row = ReleaseRead(version=main.version, sources=tuple(map(source, (main, *lent))), keras=keras)
        return found, row

    def _put(
        self,
        package: str,
        before: Mapping[str, str],
        read: Mapping[Version, ReleaseRead],
        by_release: Mapping[Version, Mapping[str, Entry]],
    ) -> None:
        releases = Releases(read.values())
        ordered = [by_release[version] for version in releases.all]
        releases = Releases(read.values(), links(ordered, releases))
        after = store.dumps(releases, merge(ordered))
        for stem in sorted({*before, *after}):
            self.update.put(f"{_FOLDER}/{package}/{stem}.txt", after.get(stem, ""))

    async def _renames(self, pages: Mapping[Name, tuple[Release, ...]], reads: Members) -> None:
        """Write the tables of the newest release, then the further names in those of older minor releases."""
        published = stable([one for name in _TENSORFLOW for one in pages[name]], OLDEST["tensorflow"])
        newest: dict[str, File] = {}
        for version in dict.fromkeys(one.version for one in published):
            file = main_file([one for one in published if one.version == version])
            if file is not None and not version.is_prerelease:
                newest.setdefault(minor(version), file)
        before = self.update.text(_RENAMES)
        mains = list(newest.values())
        if before.startswith(f"source\t{source(mains[0])}\n"):
            return
        tables = {source(file): renames.renames(await reads.some(file, renames.wanted)) for file in mains}
        self.update.put(_RENAMES, renames.dumps(tables))


def _requires(archive: Mapping[str, bytes]) -> tuple[str, ...]:
    """`Requires-Dist` of a wheel; empty for a source archive."""
    metadata = next((data for name, data in archive.items() if METADATA.fullmatch(name)), b"")
    return parse_metadata(metadata).requires_dist


TABLE = UpdatedTable(
    name="symbols",
    about="public symbols of every release of TensorFlow and Keras",
    of="releases",
    refresh=refresh,
)
