"""From a request to a lock: the index overlaid with the facts, resolved for a target."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import IndexUnavailable, TfenvError
from tfenv.model.lock import BaseImage, HeldBack, Lock, LockedPackage, Origin, Stack
from tfenv.model.package import TENSORFLOWS
from tfenv.model.progress import Silent
from tfenv.model.target import Accelerator, Platform
from tfenv.resolver.outcome import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from tfenv.errors import NoSolution
    from tfenv.facts.database import Database
    from tfenv.facts.images import ImageRow
    from tfenv.facts.releases import ReleaseFacts
    from tfenv.index.source import IndexSource
    from tfenv.model.build import Build, CompileFlags
    from tfenv.model.goal import Goal
    from tfenv.model.package import File, Name, Release
    from tfenv.model.progress import Progress
    from tfenv.overlay.overlay import FactsOverlay
    from tfenv.resolver.outcome import Pin, Resolution
    from tfenv.store.cache import Cache

_OLDEST_PYTHON = Version("3.6")
"""the oldest that is ever chosen: what is locked must be provable, and the smoke probe runs from 3.6 on"""

_REPAIR_SECONDS = 8
"""after so long no further change is tried for a request that cannot be met"""

_OF_THE_GPU = ("__compute_capability", "__cuda", "__known_bad", "__platform", "__rocm")
"""what cannot be met if no release on an index serves the GPU"""


def lock(
    request: Goal,
    *,
    database: Database | None = None,
    cache: Cache | None = None,
    indexes: tuple[str, ...] | None = None,
    offline: bool = False,
    preferred: Mapping[Name, Version] | None = None,
    base_digest: Callable[[str], str] | None = None,
    progress: Progress | None = None,
    expected: Iterable[Name] = (),
    consulted: dict[str, str] | None = None,
) -> Lock:
    """Resolve a request.

    Args:
        request: what is wanted; it holds no credentials.
        database: the facts; those that come with tfenv if not given.
        cache: on disk; the user's if not given.
        indexes: those of the request with their credentials, if they need any.
        offline: take only what is cached.
        preferred: versions to keep where they still fit, such as those of an older lock.
        base_digest: asks a registry for the digest of an image; ``None`` leaves the tag alone.
        progress: told of what is under way.
        expected: projects that it may come to, so that their pages are asked for all at once.
        consulted: gets the pages that were looked at: URL to digest.

    Raises:
        NoSolution: with the chain of reasons.
        IndexUnavailable: an index did not answer.
        IntegrityError: a file that had to be read is not what its hash says.
    """
    from tfenv.facts.database import load
    from tfenv.store.cache import Cache

    run = _Run(
        request,
        database=database or load(),
        cache=cache or Cache(),
        indexes=indexes or request.indexes,
        offline=offline,
        preferred=preferred or {},
        progress=progress or Silent(),
        expected=(*expected, *(preferred or ())),
    )
    locked = run.lock(base_digest)
    if consulted is not None:
        consulted.update(run.consulted)
    return locked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """What a request came to: glibc is that of the image, where it was left open."""

    request: Goal
    resolution: Resolution
    overlay: FactsOverlay
    image: ImageRow | None


class _Run:
    """One resolution against one state of the index."""

    def __init__(
        self,
        request: Goal,
        *,
        database: Database,
        cache: Cache,
        indexes: tuple[str, ...],
        offline: bool,
        preferred: Mapping[Name, Version],
        progress: Progress,
        expected: tuple[Name, ...],
    ) -> None:
        self.consulted: dict[str, str] = {}
        self._expected = tuple(name for name in expected if name != "python")
        self._request = request
        self._database = database
        self._cache = cache
        self._indexes = indexes
        self._offline = offline
        proven = {} if request.newest else database.wheels.proven
        self._preferred = {**{name: one.version for name, one in proven.items()}, **preferred}
        self._progress = progress
        self._open = ExitStack()
        self._sources: dict[datetime | None, IndexSource] = {}

    def lock(self, base_digest: Callable[[str], str] | None) -> Lock:
        """Resolve, and put together what came of it."""
        with self._open:
            try:
                settled = self._settled(self._request, self._preferred)
            except Conflict as conflict:
                raise self._explained(conflict) from None
            lock = self._assemble(settled)
            self.consulted |= self._index(self._request).pages()
        if base_digest is not None and lock.base_image is not None:
            try:
                digest = base_digest(lock.base_image.reference)
            except TfenvError:
                # why is not for the lock: hosts fail in words of their own, and the bytes must be the same
                warning = "the base image is locked by its tag only, because no registry told its digest"
                return replace(lock, warnings=(*lock.warnings, warning))
            return replace(lock, base_image=replace(lock.base_image, digest=digest))
        return lock

    def _settled(self, asked: Goal, preferred: Mapping[Name, Version], *, brief: bool = False) -> _Settled:
        """Resolved; once more if the image of the Python that was chosen offers less glibc than was assumed."""
        request = self._with_glibc(asked)
        resolution, overlay = self._attempt(request, preferred, brief=brief)
        image = self._image(resolution, overlay)
        if image is not None and asked.target.glibc is None and image.glibc < (request.target.glibc or image.glibc):
            request = replace(request, target=replace(request.target, glibc=image.glibc))
            resolution, overlay = self._attempt(request, preferred, brief=brief)
            image = self._image(resolution, overlay)
        return _Settled(request=request, resolution=resolution, overlay=overlay, image=image)

    def _explained(self, conflict: Conflict) -> NoSolution:
        """The smallest conflict in words, with what resolves it."""
        from tfenv.resolver import Kind, explain, repairs

        until = time.monotonic() + _REPAIR_SECONDS

        def solve(changed: Goal) -> Resolution:
            if time.monotonic() > until:
                raise conflict
            try:
                return self._settled(changed, {}, brief=True).resolution
            except IndexUnavailable:
                raise conflict from None

        told = self._narrow(conflict, self._request)
        assumed = {Kind.GLIBC} if self._request.target.glibc is None else set()
        found = repairs(told, self._request, solve, narrow=self._narrow)
        error = explain(told, self._with_glibc(self._request), found, assumed=assumed)
        error.hint = self._with_alternatives(error.hint, told)
        return error

    def _why_not_newer(self, settled: _Settled) -> tuple[str, ...]:
        """What stands against the next TensorFlow, where no single thing does."""
        from tfenv.resolver import explain

        name = next((name for name in TENSORFLOWS if name in settled.resolution.pins), None)
        held = None if name is None else settled.resolution.held.get(name)
        if name is None or held is None or held.because or name in self._preferred:
            return ()
        wanted = self._request.tensorflow & SpecifierSet(f"=={held.before}")
        asked = replace(self._request, tensorflow=wanted)
        try:
            self._settled(asked, {}, brief=True)
        except Conflict as conflict:
            told = explain(self._narrow(conflict, asked), self._with_glibc(asked))
        except IndexUnavailable:
            return ()
        else:
            return ()
        because = [line.strip().removeprefix("because ") for line in told.message.splitlines()[1:]]
        said = "; ".join(line.partition("   [")[0] for line in because)
        return (f"{name} held at {settled.resolution.pins[name].version}: {said}",)

    def _narrow(self, left: Conflict, changed: Goal) -> Conflict:
        from tfenv.resolver import smallest

        return smallest(left, self._with_glibc(changed), self._overlay, pythons=self._pythons)

    def _image(self, resolution: Resolution, overlay: FactsOverlay) -> ImageRow | None:
        """What the image starts from."""
        from tfenv.overlay.base import base_of

        platform = self._request.target.platform
        return base_of(self._database.images, platform, resolution.python, self._stack(resolution, overlay))

    def _stack(self, resolution: Resolution, overlay: FactsOverlay) -> Stack:
        """The CUDA or ROCm stack of what was chosen; a target without either wants none of the system."""
        from tfenv.overlay.stack import stack_of
        from tfenv.overlay.stand_ins import ROCM

        if (rocm := resolution.pins.get(ROCM)) is not None:
            built = self._database.rocm.row(rocm.version)
            return Stack() if built is None else Stack(origin=Origin.SYSTEM, rocm=built.rocm)
        pins = {name: pin.version for name, pin in resolution.pins.items()}
        stack = stack_of(pins, _build(resolution, overlay))
        unused = stack.origin is Origin.SYSTEM and self._request.target.accelerator is not Accelerator.CUDA
        return Stack() if unused else stack

    def _with_glibc(self, request: Goal) -> Goal:
        """A machine whose glibc is not told has that of the base image."""
        target, images = request.target, self._database.images
        if not target.platform.is_linux or target.glibc is not None:
            return request
        python = target.python or images.pythons[0]
        return replace(request, target=replace(target, glibc=images.python(python).glibc))

    @property
    def _pythons(self) -> list[Version]:
        return [python for python in self._database.images.pythons if python >= _OLDEST_PYTHON]

    def _index(self, request: Goal) -> IndexSource:
        """The indexes, as of the moment that the request names."""
        from tfenv.index.source import IndexSource

        if request.exclude_newer not in self._sources:
            index = IndexSource(
                self._indexes,
                cache=self._cache,
                exclude_newer=request.exclude_newer,
                offline=self._offline,
                progress=self._progress,
            )
            self._sources[request.exclude_newer] = self._open.enter_context(index)
            index.expect(self._expected or self._usual(index))
            if index.is_asking:
                self._prepare()
        return self._sources[request.exclude_newer]

    def _prepare(self) -> None:
        """What will be needed in the end, while the index has not answered yet."""
        from tfenv.outputs import conda, dockerfile  # noqa: F401 - it is the import that takes long

        if self._request.target.platform.is_linux:
            dockerfile.template()
        if self._request.target.accelerator is Accelerator.CUDA:
            _ = self._database.cuda, self._database.cudnn

    def _usual(self, index: IndexSource) -> tuple[Name, ...]:
        """What comes along with the release that will probably be locked, where nothing of it is cached."""
        from tfenv.model.package import TENSORFLOW

        if index.has(TENSORFLOW):
            return ()
        cuda = self._request.target.accelerator is Accelerator.CUDA
        return self._database.closures.of(self._request.tensorflow, cuda=cuda)

    def _environment(self, resolution: Resolution) -> tuple[tuple[str, str], ...]:
        """Variables without which the request would not be met."""
        pin = next((resolution.pins[name] for name in TENSORFLOWS if name in resolution.pins), None)
        if pin is None or self._request.keras is None:
            return ()
        row = self._database.companions.keras_of(pin.version, self._request.keras)
        return () if row is None else row.environment

    def _compile(self, resolution: Resolution) -> CompileFlags | None:
        """What a custom op is built with; the rows are of wheels for Linux on x86-64."""
        pin = next((resolution.pins[name] for name in TENSORFLOWS if name in resolution.pins), None)
        if pin is None or self._request.target.platform.wheels is not Platform.LINUX_X86_64:
            return None
        row = self._database.compile.of(pin.version)
        return None if row is None else row.flags

    def _notes(self, versions: Mapping[Name, Version], environment: tuple[tuple[str, str], ...]) -> Iterator[str]:
        """What was preferred to something newer, and what has to be set."""
        proven = {} if self._request.newest else self._database.wheels.proven
        for name, one in proven.items():
            if versions.get(name) == one.version:
                yield f"{name} {one.version} was seen to work ({one.says}); `--prefer newest` takes the newest"
        for variable, value in environment:
            yield f"{variable}={value} is set by the image, by `environment.yml` and by `tfenv sync`; set it elsewhere"

    def _with_alternatives(self, hint: str | None, conflict: Conflict) -> str | None:
        """What serves the machine that nothing on an index does, where it is the GPU that nothing serves."""
        named = [Version(one.version.removesuffix(".*")) for one in self._request.tensorflow]
        version = min(named, default=None) if conflict.attempt is None else conflict.attempt.version
        cuda = self._request.target.accelerator is Accelerator.CUDA
        if version is None or (cuda and not any(link.requirement.name in _OF_THE_GPU for link in conflict.links)):
            return hint
        found = self._database.alternatives.of(version, self._request.target)
        lines = [f"  {one.says}   [{one.source}]" for one in found]
        return "\n".join([*([hint] if hint else []), "other ways to use the GPU:", *lines]) if lines else hint

    def _attempt(
        self, request: Goal, preferred: Mapping[Name, Version], *, brief: bool
    ) -> tuple[Resolution, FactsOverlay]:
        from tfenv.resolver import resolve

        overlay = self._overlay(request)
        resolution = resolve(
            request, overlay, pythons=self._pythons, preferred=preferred, progress=self._progress, brief=brief
        )
        return resolution, overlay

    def _overlay(self, request: Goal) -> FactsOverlay:
        """The index with the facts, for the target of a request."""
        from tfenv.overlay.overlay import FactsOverlay

        index = self._index(request)
        return FactsOverlay(
            index,
            self._database,
            request.target,
            keras=request.keras,
            harvest=lambda release, file: self._harvest(index, release, file),
        )

    def _harvest(self, index: IndexSource, release: Release, file: File) -> ReleaseFacts | None:
        """Read the one wheel that matters of a release that the database lacks; ``None`` if it cannot be read."""
        from tfenv.facts import silent
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

    def _assemble(self, settled: _Settled) -> Lock:
        from tfenv.outputs.request import inputs_digest
        from tfenv.overlay.base import base_warnings
        from tfenv.overlay.stack import needs_of

        request, resolution, overlay, image = settled.request, settled.resolution, settled.overlay, settled.image
        packages = tuple(_locked(pin) for pin in resolution.pins.values())
        versions = {package.name: package.version for package in packages}
        build, stack = _build(resolution, overlay), self._stack(resolution, overlay)
        warnings = (
            *resolution.warnings,
            *overlay.warnings(versions.items()),
            *base_warnings(image, request.target.platform, resolution.python, stack),
            *(
                f"{name}: {len(files)} files are left out, because their index does not say when they were uploaded"
                for name, files in self._index(request).undated().items()
            ),
        )
        return Lock(
            request=self._request,
            target=replace(request.target, python=Version(f"{resolution.python.major}.{resolution.python.minor}")),
            packages=packages,
            stack=stack,
            needs=needs_of((need.requirement for need in resolution.needs), build, versions, self._database.cudnn),
            base_image=None if image is None else BaseImage(reference=image.reference),
            build=build,
            held=tuple(
                HeldBack(name=name, before=held.before, because=held.because) for name, held in resolution.held.items()
            ),
            notes=(
                *self._why_not_newer(settled),
                *resolution.notes,
                *self._notes(versions, self._environment(resolution)),
            ),
            warnings=warnings,
            sources=tuple(dict.fromkeys((*((build.source, *build.evidence) if build else ()), *_cited(resolution)))),
            facts=self._database.version,
            inputs=inputs_digest(self._request),
            environment=self._environment(resolution),
            compile=self._compile(resolution),
        )


def _build(resolution: Resolution, overlay: FactsOverlay) -> Build | None:
    """Of the locked TensorFlow; ``None`` if unknown."""
    pin = next((resolution.pins[name] for name in TENSORFLOWS if name in resolution.pins), None)
    return None if pin is None else overlay.build(pin.name, pin.version)


def _locked(pin: Pin) -> LockedPackage:
    return LockedPackage(
        name=pin.name,
        version=pin.version,
        file=pin.file.kept,
        dependencies=pin.dependencies,
        requires_python=pin.metadata.requires_python or pin.file.requires_python,
        direct=pin.direct,
    )


def _cited(resolution: Resolution) -> tuple[str, ...]:
    """What stands behind every need of the machine, in order; glibc stands in the name of each wheel."""
    return tuple(
        need.requirement.source
        for need in resolution.needs
        if need.requirement.source and need.requirement.name != "__glibc"
    )
