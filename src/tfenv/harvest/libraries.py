"""What the shared libraries of a published wheel say: each is streamed once, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias
from zipfile import BadZipFile

from tfenv.errors import IndexUnavailable
from tfenv.harvest.elf import VersionNeeds
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from packaging.version import Version

    from tfenv.facts.releases import ReleaseFacts, WheelFacts
    from tfenv.index.client import Client
    from tfenv.index.remote_zip import RemoteZip
    from tfenv.model.package import File

LIBRARIES = 4
"""How many libraries of a wheel are read, the largest first: TensorFlow itself is among them in every release."""

_LIBRARY = re.compile(r".*\.so(?:\.\d+)*")


class Scanner(Protocol):
    """Reads a library from its bytes in order."""

    def feed(self, block: bytes, /) -> None:
        """The next bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """What the libraries of a wheel ask the system for.

    Attributes:
        glibc: newest version of its symbols; ``None`` if no library asks for one.
        glibcxx: newest version of the symbols of libstdc++ (`GLIBCXX_3.4.19`); ``None`` if no library asks for one.
    """

    glibc: Version | None = None
    glibcxx: Version | None = None


Read: TypeAlias = "Callable[[File], Awaitable[Symbols]]"
"""Reads the libraries of a published wheel."""


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


def due(row: ReleaseFacts, *, stands_for_minor: bool) -> tuple[WheelFacts, ...]:
    """The wheels of a release whose libraries are to be read, and were not.

    Those are all wheels for Linux on x86-64 whose tag is `manylinux1`, which no wheel of TensorFlow keeps to, and one
    wheel of each minor release after them, to see that its tag is right.

    Args:
        row: release.
        stands_for_minor: is it the newest of its minor release? Its wheel is then the one that the build was read from.
    """
    build = row.build(Platform.LINUX_X86_64)
    named = build.source.partition(" ")[0] if build is not None and stands_for_minor else ""
    return tuple(
        wheel
        for wheel in row.wheels
        if wheel.glibc is None
        and wheel.platform is Platform.LINUX_X86_64
        and (wheel.platform_tag.startswith("manylinux1_") or wheel.filename == named)
    )


def with_known(row: ReleaseFacts, known: ReleaseFacts | None) -> ReleaseFacts:
    """The row with what is known of the libraries of wheels that are still the same; they are never read twice."""
    symbols = {} if known is None else {wheel.sha256: wheel for wheel in known.wheels}
    wheels = (
        wheel if (same := symbols.get(wheel.sha256)) is None else replace(wheel, glibc=same.glibc, glibcxx=same.glibcxx)
        for wheel in row.wheels
    )
    return replace(row, wheels=tuple(wheels))


async def with_symbols(
    row: ReleaseFacts, wheels: Iterable[WheelFacts], files: Iterable[File], read: Read
) -> ReleaseFacts:
    """The row with what the libraries of some of its wheels ask for.

    Errors as in `symbols`.
    """
    published = {file.filename: file for file in files}
    known = {wheel.filename: wheel for wheel in row.wheels}
    for wheel in wheels:
        found = await read(published[wheel.filename])
        known[wheel.filename] = replace(wheel, glibc=found.glibc, glibcxx=found.glibcxx)
    return replace(row, wheels=tuple(known.values()))


async def symbols(client: Client, file: File) -> tuple[Symbols, int]:
    """What the largest libraries of a wheel ask for, and how many bytes were transferred.

    Raises:
        IndexUnavailable: the wheel cannot be read, or a library in it is damaged.
    """
    from tfenv.index.client import RangesUnsupported

    found: dict[str, Version] = {}
    try:
        archive = await client.open_zip(file.url, file.size)
        for member in largest(archive):
            needs = VersionNeeds()
            await stream(archive, member, (needs,))
            for family, version in needs.newest().items():
                found[family] = max(version, found.get(family, version))
    except (RangesUnsupported, BadZipFile, ValueError) as error:
        raise IndexUnavailable(f"{file.url} cannot be read: {error}") from error
    return Symbols(glibc=found.get("GLIBC"), glibcxx=found.get("GLIBCXX")), archive.bytes_read
