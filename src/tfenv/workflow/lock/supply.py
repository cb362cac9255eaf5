"""The sources of a search for a lock: the indexes as of a moment, with the facts laid over them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable
from tfenv.facts import silent
from tfenv.facts.digest import LOCK
from tfenv.index.source import IndexSource
from tfenv.model.package import TENSORFLOW
from tfenv.model.target import Accelerator
from tfenv.outputs import dockerfile
from tfenv.overlay.overlay import FactsOverlay
from tfenv.store.digests import kept_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from tfenv.facts.database import Database
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.model.goal import Goal
    from tfenv.model.package import File, Name, Release
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache


class Supply:
    """The indexes and the facts, for every goal that one search tries; a context manager.

    Args:
        goal: goal that the search begins with.
        database: the facts.
        cache: cache of pages and files.
        indexes: URLs with their credentials, first index first.
        offline: use only what is cached.
        progress: reports work under way.
        expected: projects whose pages are requested at once, before the search asks for them.
    """

    def __init__(
        self,
        goal: Goal,
        *,
        database: Database,
        cache: Cache,
        indexes: tuple[str, ...],
        offline: bool,
        progress: Progress,
        expected: Iterable[Name],
    ) -> None:
        self._goal = goal
        self._database = database
        self._cache = cache
        self._indexes = indexes
        self._offline = offline
        self._progress = progress
        self._expected = tuple(name for name in expected if name != "python")
        self._open = ExitStack()
        self._sources: dict[tuple[datetime | None, bool], IndexSource] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def index(self, goal: Goal) -> IndexSource:
        """The indexes, as of the moment that a goal names.

        A goal without a GPU takes CPU builds from the index that has them, if that index is one of its own.
        """
        on_cpu = goal.target.accelerator is Accelerator.NONE
        if (key := (goal.exclude_newer, on_cpu)) not in self._sources:
            builds = self._database.wheels.cpu_builds if on_cpu else {}
            index = IndexSource(
                self._indexes,
                cache=self._cache,
                exclude_newer=goal.exclude_newer,
                homes={name: row.index for name, row in builds.items() if row.index in goal.indexes},
                offline=self._offline,
                progress=self._progress,
            )
            self._sources[key] = self._open.enter_context(index)
            index.expect(self._expected or self._usual(index))
            if index.is_asking:
                self._prepare()
        return self._sources[key]

    def overlay(self, goal: Goal) -> FactsOverlay:
        """The indexes with the facts, for the target of a goal."""
        index = self.index(goal)
        return FactsOverlay(
            index,
            self._database,
            goal.target,
            keras=goal.keras,
            tensorflow=goal.tensorflow,
            harvest=lambda release, file: self._harvest(index, release, file),
        )

    @cached_property
    def facts(self) -> str:
        """The digest of the facts that a lock depends on."""
        return kept_digest(self._database.root, LOCK, self._cache)

    def usual_image(self) -> str | None:
        """The base image that will probably be locked: of the newest Python that the newest allowed release has."""
        target, closures, releases = self._goal.target, self._database.closures, self._database.releases
        stem = closures.stem(self._goal.tensorflow)
        if stem is None or not target.platform.is_linux:
            return None
        has_wheels = target.accelerator is Accelerator.CUDA and bool(closures.rows[stem][1])
        if target.accelerator is not Accelerator.NONE and not has_wheels:  # then it is an image with CUDA
            return None
        found = (releases.release(TENSORFLOW, version) for version in releases.versions_of(stem))
        wheels = [wheel for row in found if row is not None for wheel in row.wheels]
        built = {wheel.python for wheel in wheels if wheel.platform is target.platform.wheels}
        for python in self._database.images.pythons:
            wanted = target.python is None or target.python.release[:2] == python.release[:2]
            if wanted and f"cp{python.major}{python.minor}" in built:
                return self._database.images.python(python).reference
        return None

    def _prepare(self) -> None:
        """Prepare what is needed at the end while the first answer of the index is under way."""
        _ = self.facts
        if self._goal.target.platform.is_linux:
            dockerfile.template()
        if self._goal.target.accelerator is Accelerator.CUDA:
            _ = self._database.cuda, self._database.cudnn

    def _usual(self, index: IndexSource) -> tuple[Name, ...]:
        """The projects that the release which will probably be locked brings along, where none of it is cached."""
        if index.has(TENSORFLOW):
            return ()
        cuda = self._goal.target.accelerator is Accelerator.CUDA
        return self._database.closures.of(self._goal.tensorflow, cuda=cuda)

    def _harvest(self, index: IndexSource, release: Release, file: File) -> ReleaseFacts | None:
        """Read the one wheel that matters of a release that the database lacks; ``None`` if it cannot be read."""
        # asyncio and the reader of wheels take 20 ms of the 250 ms of a lock that needs neither
        from tfenv.harvest.releases import harvest_release
        from tfenv.index.loop import run

        async def read(file: File, wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
            async with index.wheel(file) as archive:
                return {name: await archive.read(name) for name in archive.names() if wanted(name)}

        rows = silent.load(self._database.root / "tensorflow" / "silent.toml")
        try:
            return run(harvest_release(release.name, release.version, (file,), read, silent=rows))
        except IndexUnavailable:
            return None
