"""The row of a release, made from its published files; a reader supplies their bytes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name, canonicalize_version

from tfenv.errors import IndexUnavailable
from tfenv.facts.releases import ReleaseFacts, WheelFacts, platform_of
from tfenv.facts.silent import complete, strip
from tfenv.harvest.wheel import (
    BUILD_INFO,
    CUDA_CONFIG,
    METADATA,
    build,
    configured,
    is_silent,
    parse_build_info,
    parse_metadata,
    supplement,
    wanted,
)
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.version import Version

    from tfenv.facts.silent import SilentRow
    from tfenv.model.builds import Build
    from tfenv.model.package import File, Name


class Reader(Protocol):
    """A reader of members of a published wheel."""

    async def __call__(self, file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        """The members with wanted names, by name."""
        ...


def can_have_cuda(file: File) -> bool:
    """Whether a wheel is for Linux or Windows on a known processor; no other wheel can use CUDA."""
    platform = platform_of(file.filename)
    return file.is_wheel and platform is not None and (platform.is_linux or platform is Platform.WINDOWS_X86_64)


async def harvest_release(
    name: Name,
    version: Version,
    files: Sequence[File],
    reader: Reader,
    *,
    silent: Sequence[SilentRow] = (),
    read: Callable[[File], bool] = can_have_cuda,
    known: ReleaseFacts | None = None,
) -> ReleaseFacts:
    """The row of a release: wheels that `read` selects are opened, the others only listed.

    Args:
        name: name of the distribution.
        version: version of the release.
        files: files of the release; source distributions and files without a SHA-256 are ignored.
        reader: reader of wheels.
        silent: rows of `silent.toml`.
        read: whether to open a wheel; to lock, the wheel of the target is enough.
        known: previous row; wheels that have not changed since are not read again.

    Raises:
        IndexUnavailable: a wheel cannot be read, or is not valid.
    """
    wheels = [file for file in files if file.is_wheel and file.sha256 is not None]
    kept = {} if known is None else still_true(known, wheels)
    chosen = [file for file in wheels if read(file) and file.filename not in kept]
    looked = await asyncio.gather(*(_look(file, reader) for file in chosen))
    facts = {file.filename: listed(file) for file in wheels}
    inside = {**kept, **{wheel.filename: wheel for wheel, _ in looked}}
    for filename, wheel in inside.items():
        now = facts[filename]
        facts[filename] = replace(now, requires_dist=wheel.requires_dist, requires_python=wheel.requires_python)
    agreed = {wheel.requires_python for wheel in inside.values()}
    builds = [complete(found, version, silent) for _, found in looked if found is not None]
    builds += [] if known is None else [build for build in again(known, silent) if _wheel_of(build) in kept]
    times = [file.upload_time for file in wheels if file.upload_time is not None]
    return ReleaseFacts(
        name=name,
        version=version,
        uploaded=min(times).replace(microsecond=0) if times else None,
        requires_python=agreed.pop() if len(agreed) == 1 else None,
        wheels=tuple(sorted(facts.values(), key=lambda wheel: wheel.filename)),
        builds=merge(builds),
        sources=tuple(dict.fromkeys(f"{file.index.rstrip('/')}/{name}/" for file in wheels if file.index)),
        tier="declared",
    )


def again(row: ReleaseFacts, silent: Iterable[SilentRow]) -> tuple[Build, ...]:
    """The builds of a row, with the claims of other sources filled in again."""
    rows = tuple(silent)
    builds = []
    for old in row.builds:
        wheel = row.wheel(_wheel_of(old))
        requires = wheel.requires_dist if wheel is not None and wheel.requires_dist is not None else ()
        builds.append(complete(supplement(strip(old), requires), row.version, rows))
    return tuple(builds)


def still_true(known: ReleaseFacts, files: Iterable[File]) -> dict[str, WheelFacts]:
    """The wheels of a row that were read and have not changed on the index.

    If the wheel that described the build for a platform is gone, all wheels of that platform count as not read.
    """
    hashes = {file.filename: file.sha256 for file in files}
    same = {
        wheel.filename: wheel
        for wheel in known.wheels
        if wheel.requires_dist is not None and hashes.get(wheel.filename) == wheel.sha256
    }
    lost = {build.platform for build in known.builds if _wheel_of(build) not in same}
    return {filename: wheel for filename, wheel in same.items() if wheel.platform not in lost}


def merge(builds: Iterable[Build]) -> tuple[Build, ...]:
    """One build for each platform; of equal builds, the one with the fewest inferred values.

    Raises:
        IndexUnavailable: the wheels of one platform were built differently, which a row cannot express.
    """
    merged: dict[Platform, Build] = {}
    for found in sorted(builds, key=lambda build: (len(build.inferred), -len(str(build.cuda)), build.source)):
        first = merged.setdefault(found.platform, found)
        if _essence(first) != _essence(found):
            raise IndexUnavailable(f"{first.source} and {found.source} were built differently")
    return tuple(merged[platform] for platform in sorted(merged, key=lambda platform: platform.value))


async def _look(file: File, reader: Reader) -> tuple[WheelFacts, Build | None]:
    """Facts about one wheel; no build if it lacks `build_info.py` or the form of that file is unknown."""
    members = await reader(file, wanted)
    metadata = next((data for name, data in members.items() if METADATA.fullmatch(name)), None)
    if metadata is None:
        raise IndexUnavailable(f"{file.url} is not a wheel: it has no METADATA")
    core = parse_metadata(metadata)
    if (canonicalize_name(core.name), canonicalize_version(core.version)) != _key(file):
        raise IndexUnavailable(f"{file.url} contains {core.name} {core.version}")
    wheel = replace(listed(file), requires_dist=core.requires_dist, requires_python=core.requires_python)
    info = next((data for name, data in members.items() if BUILD_INFO.fullmatch(name)), None)
    platform = platform_of(file.filename)
    if info is None or platform is None:
        return wheel, None
    try:
        found = build(parse_build_info(info), platform, f"{file.filename} sha256:{file.sha256}")
        if is_silent(found):
            headers = await reader(file, lambda member: CUDA_CONFIG.fullmatch(member) is not None)
            for header in headers.values():
                found = configured(found, header)
    except ValueError:
        return wheel, None
    return wheel, supplement(found, core.requires_dist)


def listed(file: File) -> WheelFacts:
    """What the index lists about a wheel; its METADATA counts as not read."""
    return WheelFacts(
        filename=file.filename,
        size=file.size,
        sha256=file.sha256 or "",
        requires_python=str(file.requires_python) if file.requires_python is not None else None,
        yanked=file.yanked,
    )


def _wheel_of(build: Build) -> str:
    """The filename in the source of a build."""
    return build.source.partition(" ")[0]


def _key(file: File) -> tuple[str, str]:
    return file.name, canonicalize_version(file.version)


def _essence(build: Build) -> Build:
    """A build without the fields that say where it was read."""
    return replace(build, source="", inferred=(), evidence=())
