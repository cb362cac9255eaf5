"""Requirements and GPU code of the shared libraries in a published wheel; each is streamed once, not stored."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from zipfile import BadZipFile

from packaging.version import Version

from tfenv.errors import IndexUnavailable
from tfenv.harvest.elf import VersionNeeds
from tfenv.harvest.fatbins import FatBinaries, kernels
from tfenv.harvest.xla import XlaTexts
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfenv.facts.releases import ReleaseFacts
    from tfenv.harvest.fatbins import Kind
    from tfenv.index.client import Client
    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.builds import Kernels, Xla
    from tfenv.model.package import File

LIBRARIES = 4
"""How many libraries of a wheel are read, the largest first: TensorFlow itself is among them in every release."""

CODE_SINCE = Version("2.10")
"""First release whose code for GPUs is read."""

_PROFILER = re.compile(r"profiler")
"""Libraries of the profiler, which hold copies of kernels of other libraries."""

_LIBRARY = re.compile(r".*\.so(?:\.\d+)*")


class Scanner(Protocol):
    """A reader that receives the bytes of a library in order."""

    def feed(self, block: bytes, /) -> None:
        """Read the next bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Contents of the libraries of a wheel, and what they require of the system.

    Attributes:
        glibc: newest version of glibc symbols that a library requires; ``None`` if none does.
        glibcxx: the same for libstdc++ (3.4.19 for `GLIBCXX_3.4.19`).
        kernels: kinds of GPU kernels.
        xla: compiler for GPUs; ``None`` if the wheel has none.
    """

    glibc: Version | None = None
    glibcxx: Version | None = None
    kernels: tuple[Kernels, ...] = ()
    xla: Xla | None = None


class Read(Protocol):
    """A reader of the libraries of a published wheel."""

    async def __call__(self, file: File, *, code: bool) -> Inside:
        """Read what the libraries require and, with `code`, which GPU code they hold."""
        ...


def largest(archive: RemoteZip, count: int = LIBRARIES) -> tuple[str, ...]:
    """The largest shared libraries of a wheel, by name."""
    members = [archive.member(name) for name in archive.names() if _LIBRARY.fullmatch(name)]
    return tuple(member.name for member in sorted(members, key=lambda member: (-member.size, member.name))[:count])


async def stream(archive: RemoteZip, member: str, scanners: Sequence[Scanner]) -> None:
    """Feed one library to the scanners while the next bytes are transferred."""

    def show(block: bytes) -> None:
        for scanner in scanners:
            scanner.feed(block)

    async for block in archive.stream(member):
        await asyncio.to_thread(show, block)


def due(row: ReleaseFacts, *, newest_of_minor: bool) -> dict[str, bool]:
    """The wheels of a release whose libraries still have to be read, and whether that includes their GPU code.

    Symbols are read from every wheel for Linux on x86-64 with the tag `manylinux1`, because no such wheel of TensorFlow
    conforms to it, and from one wheel of each later minor release, to verify its tag. GPU code is read from the wheel
    that describes a CUDA build, since 2.10.

    Args:
        row: release.
        newest_of_minor: whether it is the newest of its minor release.
    """
    build = row.build(Platform.LINUX_X86_64)
    named = build.source.partition(" ")[0] if build is not None else ""
    code = build is not None and build.is_cuda and not build.kernels and row.version >= CODE_SINCE
    found = {}
    for wheel in row.wheels:
        describes_build = wheel.filename == named
        symbols = wheel.glibc is None and (
            wheel.platform_tag.startswith("manylinux1_") or (describes_build and newest_of_minor)
        )
        if wheel.platform is Platform.LINUX_X86_64 and (symbols or (describes_build and code)):
            found[wheel.filename] = describes_build and code
    return found


def with_known(row: ReleaseFacts, known: ReleaseFacts | None) -> ReleaseFacts:
    """The row with the known contents of libraries whose wheels are unchanged; no wheel is read twice."""
    symbols = {} if known is None else {wheel.sha256: wheel for wheel in known.wheels}
    code = {} if known is None else {build.source: build for build in known.builds}
    wheels = (
        wheel if (same := symbols.get(wheel.sha256)) is None else replace(wheel, glibc=same.glibc, glibcxx=same.glibcxx)
        for wheel in row.wheels
    )
    builds = (
        build if (old := code.get(build.source)) is None else replace(build, kernels=old.kernels, xla=old.xla)
        for build in row.builds
    )
    return replace(row, wheels=tuple(wheels), builds=tuple(builds))


async def with_libraries(
    row: ReleaseFacts, wheels: Mapping[str, bool], files: Iterable[File], read: Read
) -> ReleaseFacts:
    """The row with the contents and requirements of the libraries in some of its wheels.

    Args:
        row: release.
        wheels: result of `due`.
        files: published files of the release.
        read: reader of the libraries of one wheel.

    Errors as in `inside`.
    """
    published = {file.filename: file for file in files}
    known = {wheel.filename: wheel for wheel in row.wheels}
    builds = list(row.builds)
    for filename, code in wheels.items():
        found = await read(published[filename], code=code)
        known[filename] = replace(known[filename], glibc=found.glibc, glibcxx=found.glibcxx)
        for at, build in enumerate(builds):
            if code and build.source.partition(" ")[0] == filename:
                builds[at] = replace(build, kernels=found.kernels, xla=found.xla)
    return replace(row, wheels=tuple(known.values()), builds=tuple(builds))


async def inside(client: Client, file: File, *, code: bool) -> tuple[Inside, int]:
    """Contents and requirements of the largest libraries of a wheel, and the count of transferred bytes.

    Args:
        client: client of the index.
        file: wheel.
        code: whether to look for GPU code and for the targets of XLA too.

    Raises:
        IndexUnavailable: the wheel cannot be read, or a library in it is damaged.
    """
    from tfenv.index.client import RangesUnsupported

    newest: dict[str, Version] = {}
    found: Counter[Kind] = Counter()
    compilers = []
    try:
        archive = await client.open_zip(file.url, file.size)
        for member in largest(archive):
            needs, binaries, texts = VersionNeeds(), FatBinaries(), XlaTexts()
            await stream(archive, member, (needs, binaries, texts) if code else (needs,))
            for family, version in needs.newest().items():
                newest[family] = max(version, newest.get(family, version))
            if not _PROFILER.search(member):
                found += binaries.kinds()
            compilers.append(texts.xla())
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    result = Inside(
        glibc=newest.get("GLIBC"),
        glibcxx=newest.get("GLIBCXX"),
        kernels=kernels(found),
        xla=next((each for each in compilers if each is not None), None),
    )
    return result, archive.bytes_read
