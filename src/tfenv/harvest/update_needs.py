"""What companions need beside their metadata, read off the code that importing them runs."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import TfenvError
from tfenv.facts.closures import Closures
from tfenv.facts.needs import NeedRow, NeedTable, dumps
from tfenv.facts.projects import ProjectTable
from tfenv.harvest.code_needs import PublishedCode
from tfenv.harvest.members import Members
from tfenv.harvest.needs_releases import (
    LARGEST,
    SINCE,
    ReleaseNeeds,
    between,
    code_file,
    ends,
    known_needs,
    merged,
    recent,
)
from tfenv.harvest.numpy_names import numpy_names
from tfenv.harvest.published import releases_of, source
from tfenv.harvest.top_modules import TopModules
from tfenv.harvest.update import UpdatedTable
from tfenv.harvest.update_projects import names_of
from tfenv.index.client import RangesUnsupported
from tfenv.index.loop import run
from tfenv.infer.surface import Surface
from tfenv.model.package import TENSORFLOWS, Name, normalize
from tfenv.overlay.shipped import parsed
from tfenv.symbols.database import Symbols

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from tfenv.harvest.code_needs import CodeNeed
    from tfenv.harvest.update import Update
    from tfenv.index.client import Client
    from tfenv.model.package import File, Requirement

_FILE: Final = "facts/needs.toml"
_LIST: Final = "facts/projects.txt"
_TASK: Final = "projects"
_AT_ONCE: Final = 4
_OLDEST_PYTHON, _NEWEST_PYTHON = 8, 15

_OWN: Final = frozenset(
    (
        *TENSORFLOWS,
        Name("keras"),
        Name("keras-nightly"),
        Name("numpy"),
        Name("tensorflow-intel"),
        Name("tensorflow-estimator"),
    )
)
"""Projects that have tables of their own."""

_REQUIRES: Final = re.compile(r"^Requires-Dist:\s*(.+)$", re.MULTILINE)
_PYTHON: Final = re.compile(r"^Requires-Python:\s*(.+)$", re.MULTILINE)
_EXTRA: Final = re.compile(r";.*\bextra\s*==")


def refresh(update: Update) -> None:
    """Read the releases of the listed projects that were not read before.

    Of each project those since 2019 count: the oldest and the newest of each minor release, and between two that need
    different things the one in the middle, until it is known where the difference begins.

    Raises:
        IndexUnavailable: the index cannot be read.
        UsageError: the rows at hand are damaged.
    """
    run(_Harvest(update).run())


class _Harvest:
    def __init__(self, update: Update) -> None:
        self._update = update
        symbols = Symbols(update.root / "symbols")
        self._surface = Surface(symbols.api, symbols.modules)
        self._projects = ProjectTable(update.root / "facts/projects.zip")
        self._closures = Closures(update.root / "facts/closures.txt")
        self._tops = TopModules()
        self._unrelated: set[Name] = set()
        self._requires: dict[tuple[Name, str], frozenset[Name]] = {}

    async def run(self) -> None:
        update, report = self._update, self._update.report
        table = NeedTable(update.root / _FILE)
        every = [name for name in names_of(update.text(_LIST)) if not name.startswith("nvidia-")]
        names = [Name(normalize(name)) for name in update.only] or [name for name in every if name not in _OWN]
        self._unrelated = set(table.unrelated).difference(names if update.reread else ())
        names = [name for name in names if update.only or name not in self._unrelated]
        found: dict[Name, list[ReleaseNeeds]] = {}
        async with update.opened() as client:
            await self._tops.read([name for name in every if name not in TENSORFLOWS], update.index, client, SINCE)
            self._members = Members(client, report)
            self._numpy = await numpy_names(update.index, client)
            update.progress.start(_TASK, len(names))
            gate = asyncio.Semaphore(_AT_ONCE)

            async def one(name: Name) -> None:
                async with gate:
                    try:
                        found[name] = await self._project(name, table, client)
                        self._put(found, table)
                    except TfenvError as error:
                        report.notes.append(f"{name}: {error}")
                        found[name] = known_needs(name, table)
                    update.progress.advance(_TASK)

            await asyncio.gather(*(one(name) for name in names))
            update.progress.finish(_TASK)
        report.checked = sum(len(reads) for reads in found.values())
        self._put(found, table)

    def _put(self, found: Mapping[Name, list[ReleaseNeeds]], table: NeedTable) -> None:
        """The file as far as it is known; an update that is cut short goes on from there."""
        every = {name: found.get(name) or known_needs(name, table) for name in sorted({*found, *table.read})}
        rows = [row for reads in every.values() for row in merged(reads)]
        read = {name: tuple(str(one.version) for one in reads) for name, reads in every.items() if reads}
        self._update.put(_FILE, dumps(rows, read, self._unrelated))

    async def _project(self, name: Name, table: NeedTable, client: Client) -> list[ReleaseNeeds]:
        report = self._update.report
        known = {} if self._update.reread else {one.version: one for one in known_needs(name, table)}
        chosen = recent(await releases_of(name, self._update.index, client))
        reads: dict[Version, ReleaseNeeds] = {}
        newest = chosen[0].version if chosen else None
        waiting = deque(release for release in chosen if release.version in ends(chosen))
        while waiting:
            release = waiting.popleft()
            if release.version in known:
                reads[release.version] = known[release.version]
                report.kept += 1
            elif (file := code_file(release)) is not None:
                content, metadata = await self._content(name, file, client)
                if content is None or (release.version == newest and not content.mentions):
                    self._unrelated.add(name)
                    break
                rows = [row async for row in self._rows(name, file, content, metadata, client)]
                reads[release.version] = ReleaseNeeds(version=release.version, rows=tuple(rows))
                report.read += 1
            if not waiting:
                waiting += (one for one in between(chosen, reads) if code_file(one) is not None)
        return [reads[version] for version in sorted(reads)]

    async def _content(self, name: Name, file: File, client: Client) -> tuple[PublishedCode | None, str]:
        if not file.is_wheel:
            sources = await self._members(file)
            kept = {re.sub(r"^src/", "", one): text for one, text in sources.items() if one.endswith(".py")}
            return PublishedCode(name, kept, "", "", self._surface), ""
        try:
            archive = await client.open_zip(file.url, file.size)
            code = [one for one in archive.names() if one.endswith(".py") and "/include/" not in one]
            if sum(archive.member(one).size for one in code) > LARGEST:
                self._update.report.notes.append(f"{file.filename} holds more than {LARGEST} bytes of Python")
                return None, ""
            about = [one for one in archive.names() if one.endswith((".dist-info/METADATA", "/entry_points.txt"))]
            texts = await archive.read_many((*code, *about))
        except (RangesUnsupported, BadZipFile, ValueError) as error:
            self._update.report.notes.append(f"{file.filename} cannot be read: {error}")
            return None, ""
        self._update.report.count(archive.bytes_read)
        metadata, scripts = (
            b"".join(text for one, text in texts.items() if one.endswith(end)).decode("utf-8", "replace")
            for end in ("METADATA", "entry_points.txt")
        )
        sources = {re.sub(r"^[^/]+\.data/(?:pure|plat)lib/", "", one): texts[one] for one in code}
        return PublishedCode(name, sources, metadata, scripts, self._surface), metadata

    async def _rows(
        self, name: Name, file: File, content: PublishedCode, metadata: str, client: Client
    ) -> AsyncIterator[NeedRow]:
        requires = parsed(tuple(text for text in _REQUIRES.findall(metadata) if not _EXTRA.search(text)))
        ranges = _required_everywhere(requires, metadata)
        brought = await self._brought(ranges, client)
        runs_on = content.minors
        empty = SpecifierSet()
        gone: dict[str, str] = {}
        for need in content.needs(self._numpy.names):
            row = NeedRow(
                package=name,
                versions=empty,
                requires="",
                because="",
                source=f"{source(file)} {need.file}",
            )
            match need.kind:
                case "import":
                    if not file.is_wheel:
                        continue  # what a source distribution requires is known once it is built
                    bringing = self._tops.of(need.what)
                    if bringing is None or bringing[0] in (name, *TENSORFLOWS):
                        continue
                    beside = SpecifierSet(need.beside) if need.beside else None
                    minors = [one for one in runs_on if beside is None or beside.contains(f"{one}.0")]
                    by_tensorflow = all(bringing[0] in self._closures.rows[one][0] for one in minors)
                    if (bringing[0] in brought or by_tensorflow) and (
                        not bringing[1] or _is_narrower(ranges, *bringing)
                    ):
                        continue
                    because = f"importing it imports `{need.what}`"
                    if bringing[1]:
                        because += f", which {bringing[0]} has no more from {bringing[1][1:]} on"
                    yield replace(row, requires="".join(bringing), beside=beside, because=because)
                case "tensorflow":
                    if self._admits_more(ranges, need):
                        named = " and ".join(f"`{text}`" for text in need.names[:2])
                        lacking = f"importing it needs {named}, which other releases of TensorFlow lack"
                        yield replace(
                            row,
                            requires=f"tensorflow{need.what}",
                            legacy=f"tensorflow{need.legacy}" if need.legacy else "",
                            because=lacking if need.names else "it refuses other releases when it is imported",
                        )
                case _:
                    gone[need.what] = need.file
        if gone:
            specifier = self._numpy.specifier(frozenset(gone))
            if not _is_narrower(ranges, Name("numpy"), specifier):
                named = ", ".join(f"`numpy.{text}`" for text in sorted(gone)[:3])
                where = next(iter(gone.values()))
                yield NeedRow(
                    package=name,
                    versions=empty,
                    requires=f"numpy{specifier}",
                    because=f"importing it reads {named}, which other releases of NumPy lack",
                    source=f"{source(file)} {where}",
                )

    async def _brought(self, ranges: Mapping[Name, SpecifierSet], client: Client) -> set[Name]:
        """Projects that come along by metadata, directly or not."""
        found: set[Name] = set()
        waiting = list(ranges.items())
        while waiting:
            name, specifier = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [(other, SpecifierSet()) for other in await self._required(name, specifier, client)]
        return found

    async def _required(self, name: Name, specifier: SpecifierSet, client: Client) -> frozenset[Name]:
        """What every release of a project in a range requires by its metadata, as far as that is known."""
        key = name, str(specifier)
        if key not in self._requires:
            rows = self._projects.rows(name)
            texts = [row.requires for version, row in rows.items() if specifier.contains(version)]
            known = [text for text in texts if text is not None] or [await self._declared(name, client)]
            names = [frozenset(requirement.name for requirement in parsed(text)) for text in known]
            self._requires[key] = frozenset.intersection(*names)
        return self._requires[key]

    async def _declared(self, name: Name, client: Client) -> tuple[str, ...]:
        """The requirements of a project that is not among the rows; nothing if they cannot be read."""
        try:
            chosen = recent(await releases_of(name, self._update.index, client))[:1]
            file = code_file(chosen[0]) if chosen else None
            if file is None:
                return ()
            archive = await client.open_zip(file.url, file.size)
            members = [member for member in archive.names() if member.endswith(".dist-info/METADATA")]
            texts = await archive.read_many(members[:1])
        except (TfenvError, RangesUnsupported, BadZipFile, ValueError):
            return ()
        return tuple(
            text
            for content in texts.values()
            for text in _REQUIRES.findall(content.decode("utf-8", "replace"))
            if not _EXTRA.search(text)
        )

    def _admits_more(self, ranges: Mapping[Name, SpecifierSet], need: CodeNeed) -> bool:
        """Whether metadata lets in releases of TensorFlow that the code cannot run on, beside some that it can.

        Where metadata and code have no release in common, the reading is at fault: the package was published for one.
        """
        mask = self._surface.every
        for name in TENSORFLOWS:
            mask &= self._surface.mask(ranges.get(name, SpecifierSet()))
        runs = self._surface.mask(SpecifierSet(need.what))
        return bool(mask & ~runs) and bool(mask & runs)


def _required_everywhere(requires: Iterable[Requirement], metadata: str) -> dict[Name, SpecifierSet]:
    """What is required on every Python that the release is for, on Linux; with the range that holds on all of them."""
    given = _PYTHON.search(metadata)
    allowed = SpecifierSet(given[1].strip() if given else "")
    every = [f"3.{minor}" for minor in range(_OLDEST_PYTHON, _NEWEST_PYTHON)]
    pythons = [python for python in every if allowed.contains(f"{python}.99")] or every
    holding: dict[Name, set[str]] = {}
    ranges: dict[Name, SpecifierSet] = {}
    for requirement in requires:
        here = {python for python in pythons if _holds(requirement, python)}
        holding.setdefault(requirement.name, set()).update(here)
        if len(here) == len(pythons):
            ranges[requirement.name] = ranges.get(requirement.name, SpecifierSet()) & requirement.specifier
    return {name: ranges.get(name, SpecifierSet()) for name, here in holding.items() if len(here) == len(pythons)}


def _holds(requirement: Requirement, python: str) -> bool:
    environment = {"python_version": python, "python_full_version": f"{python}.99", "os_name": "posix", "extra": ""}
    environment |= {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _is_narrower(ranges: Mapping[Name, SpecifierSet], name: Name, specifier: str) -> bool:
    """Whether metadata keeps a project within a range as it is: no bound of the range is inside what it lets in."""
    given = ranges.get(name)
    if given is None:
        return False
    wanted = SpecifierSet(specifier)
    edges = [Version(one.version.removesuffix(".*")) for one in wanted]
    return not any(given.contains(edge, prereleases=True) and not wanted.contains(edge) for edge in edges)


TABLE = UpdatedTable(name="needs", about="what companions need beside their metadata", of="projects", refresh=refresh)
