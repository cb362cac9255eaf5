"""What the shared libraries of a published wheel say: each is streamed once, and nothing of it is kept."""

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
    from tfenv.model.build import Kernels, Xla
    from tfenv.model.package import File

LIBRARIES = 4
"""How many libraries of a wheel are read, the largest first: TensorFlow itself is among them in every release."""

CODE_SINCE = Version("2.10")
"""First release whose code for GPUs is read."""

_PROFILER = re.compile(r"profiler")
"""It has copies of kernels that are elsewhere too."""

_LIBRARY = re.compile(r".*\.so(?:\.\d+)*")


class Scanner(Protocol):
    """Reads a library from its bytes in order."""

    def feed(self, block: bytes, /) -> None:
        """The next bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What the libraries of a wheel hold and ask the system for.

    Attributes:
        glibc: newest version of its symbols; ``None`` if no library asks for one.
        glibcxx: newest version of the symbols of libstdc++ (`GLIBCXX_3.4.19`); ``None`` if no library asks for one.
        kernels: kinds of kernels for GPUs.
        xla: the compiler for GPUs; ``None`` if there is none.
    """

    glibc: Version | None = None
    glibcxx: Version | None = None
    kernels: tuple[Kernels, ...] = ()
    xla: Xla | None = None


class Read(Protocol):
    """Reads the libraries of a published wheel."""

    async def __call__(self, file: File, *, code: bool) -> Inside:
        """What they ask for, and with `code` also what they hold for GPUs."""
        ...


def largest(archive: RemoteZip, count: int = LIBRARIES) -> tuple[str, ...]:
    """The largest shared libraries of a wheel, by name."""
    members = [archive.member(name) for name in archive.names() if _LIBRARY.fullmatch(name)]
    return tuple(member.name for member in sorted(members, key=lambda member: (-member.size, member.name))[:count])


async def stream(archive: RemoteZip, member: str, scanners: Sequence[Scanner]) -> None:
    """Show one library to the scanners, beside the transfer of what follows."""

    def show(block: bytes) -> None:
        for scanner in scanners:
            scanner.feed(block)

    async for block in archive.stream(member):
        await asyncio.to_thread(show, block)


def due(row: ReleaseFacts, *, stands_for_minor: bool) -> dict[str, bool]:
    """The wheels of a release whose libraries are to be read and were not; is their code for GPUs to be read too?

    Symbols are read of all wheels for Linux on x86-64 whose tag is `manylinux1`, which no wheel of TensorFlow keeps to,
    and of one wheel of each minor release after them, to see that its tag is right. Code is read of the wheel that a
    CUDA build was read from, since 2.10.

    Args:
        row: release.
        stands_for_minor: is it the newest of its minor release?
    """
    build = row.build(Platform.LINUX_X86_64)
    named = build.source.partition(" ")[0] if build is not None else ""
    code = build is not None and build.is_cuda and not build.kernels and row.version >= CODE_SINCE
    found = {}
    for wheel in row.wheels:
        stands = wheel.filename == named
        symbols = wheel.glibc is None and (
            wheel.platform_tag.startswith("manylinux1_") or (stands and stands_for_minor)
        )
        if wheel.platform is Platform.LINUX_X86_64 and (symbols or (stands and code)):
            found[wheel.filename] = stands and code
    return found


def with_known(row: ReleaseFacts, known: ReleaseFacts | None) -> ReleaseFacts:
    """The row with what is known of the libraries of wheels that are still the same; they are never read twice."""
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
    """The row with what the libraries of some of its wheels hold and ask for.

    Args:
        row: release.
        wheels: what `due` gave.
        files: published files of the release.
        read: reads the libraries of one wheel.

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
    """What the largest libraries of a wheel hold and ask for, and how many bytes were transferred.

    Args:
        client: client of the index.
        file: wheel.
        code: also look for code for GPUs and for what XLA compiles?

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
