"""Facts about TensorFlow's releases: the rows of `constraints/facts/tensorflow/`, one file for each minor release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import tomli
from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.facts.builds import build_from, build_lines, quoted, strings
from tfenv.facts.location import remedy
from tfenv.facts.rows import Row
from tfenv.model import tags as wheel_tags
from tfenv.model.document import flag, text
from tfenv.model.package import Name, normalize
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from packaging.tags import Tag

    from tfenv.model.builds import Build

HEADER = (
    "# Written by `tfenv facts update releases` from the published wheels, which are the source of every row.\n"
    "# constraints/README.md says what each column means; `files` are filename, size in bytes, SHA-256, symbols.\n"
)

_PLATFORMS = (
    ("manylinux", "x86_64", Platform.LINUX_X86_64),
    ("linux", "x86_64", Platform.LINUX_X86_64),
    ("manylinux", "aarch64", Platform.LINUX_AARCH64),
    ("linux", "aarch64", Platform.LINUX_AARCH64),
    ("macosx", "arm64", Platform.MACOS_ARM64),
    ("macosx", "", Platform.MACOS_X86_64),
    ("win", "amd64", Platform.WINDOWS_X86_64),
)


@lru_cache(maxsize=8192)
def _tags(filename: str) -> frozenset[Tag]:
    return parse_wheel_filename(filename)[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """One published wheel.

    Attributes:
        filename: filename on the index.
        size: size in bytes; ``None`` if the index does not list it.
        sha256: SHA-256 in lower-case hex.
        requires_dist: requirements in the order of its METADATA; ``None`` if that was not read.
        requires_python: specifier in its METADATA, or on the index if that was not read; ``None`` if there is none.
        yanked: the reason (perhaps empty) if yanked, else ``None``.
        glibc: newest version of glibc's symbols that its libraries require; ``None`` if they were not read.
        glibcxx: the same for libstdc++ (3.4.19 for `GLIBCXX_3.4.19`).
    """

    filename: str
    size: int | None
    sha256: str
    requires_dist: tuple[str, ...] | None = None
    requires_python: str | None = None
    yanked: str | None = None
    glibc: Version | None = None
    glibcxx: Version | None = None

    @property
    def needs_glibc(self) -> Version | None:
        """The lowest glibc it runs on: by its symbols if they were read, and no lower than its tags say."""
        named = wheel_tags.glibc(self.tags)
        return max((each for each in (self.glibc, named) if each is not None), default=None)

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags in the filename (PEP 425)."""
        return _tags(self.filename)

    @property
    def python(self) -> str:
        """The interpreter tag, such as `cp312`."""
        return self.filename.removesuffix(".whl").split("-")[-3]

    @property
    def platform_tag(self) -> str:
        """The platform tags, such as `manylinux_2_17_x86_64.manylinux2014_x86_64`."""
        return self.filename.removesuffix(".whl").split("-")[-1]

    @property
    def platform(self) -> Platform | None:
        """The platform of the wheel; ``None`` for one that tfenv does not support (32 bit)."""
        return platform_of(self.filename)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """One version of one distribution.

    Attributes:
        uploaded: upload time of its first wheel, in UTC; ``None`` if the index does not list it.
        requires_python: specifier common to its wheels; ``None`` if there is none or they differ.
        wheels: wheels, sorted by filename.
        builds: one build for each platform whose wheels have `build_info.py`, sorted by platform. A Linux wheel without
            one (aarch64, 2.10 to 2.15) does not contain TensorFlow: it requires the distribution that does.
        sources: index pages that list the wheels; each build names its own source.
        tier: strength of the evidence: `declared`, `installed`, `imported`, `trained` or `gpu`.
    """

    name: Name
    version: Version
    uploaded: datetime | None
    requires_python: str | None = None
    wheels: tuple[WheelFacts, ...] = ()
    builds: tuple[Build, ...] = ()
    sources: tuple[str, ...] = ()
    tier: str = "declared"

    def build(self, platform: Platform) -> Build | None:
        """The build that this platform installs (WSL installs that of Linux)."""
        return next((build for build in self.builds if build.platform is platform.wheels), None)

    def wheel(self, filename: str) -> WheelFacts | None:
        """The wheel with this filename."""
        return next((wheel for wheel in self.wheels if wheel.filename == filename), None)

    def carrier(self, platform: Platform) -> Name | None:
        """The distribution that contains TensorFlow if this one only requires it (`tensorflow-cpu-aws`)."""
        from packaging.requirements import Requirement

        if self.build(platform) is not None:
            return None
        for wheel in self.wheels:
            if wheel.platform is platform.wheels and wheel.requires_dist:
                for requirement in map(Requirement, wheel.requires_dist):
                    name = normalize(requirement.name)
                    environment = {"platform_system": "Linux", "platform_machine": platform.value.split("-")[1]}
                    applies = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
                    if applies and str(requirement.specifier) == f"=={self.version}" and name.startswith("tensorflow-"):
                        return name
        return None


class ReleaseTable:
    """Releases by name and version; the file of a minor release is read on first use."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[str, dict[tuple[Name, Version], ReleaseFacts]] = {}

    def release(self, name: Name, version: Version) -> ReleaseFacts | None:
        """The row of a release; ``None`` if it is not known.

        Raises:
            UsageError: the file of its minor release is damaged.
        """
        return self._minor(minor(version)).get((name, version))

    def versions(self, name: Name) -> tuple[Version, ...]:
        """All versions of a distribution, newest first (reads every file)."""
        return tuple(sorted((release.version for release in self if release.name == name), reverse=True))

    def versions_of(self, stem: str) -> tuple[Version, ...]:
        """The versions of one minor release (`2.17`), newest first, whatever the distribution."""
        return tuple(sorted({version for _, version in self._minor(stem)}, reverse=True))

    def __iter__(self) -> Iterator[ReleaseFacts]:
        for stem in self.minors:
            yield from self._minor(stem).values()

    @cached_property
    def minors(self) -> tuple[str, ...]:
        """The minor releases that have files, oldest first."""
        found = [path.stem for path in self._directory.glob("*.toml") if _is_minor(path.stem)]
        return tuple(sorted(found, key=Version))

    def path(self, stem: str) -> Path:
        """The file of a minor release."""
        return self._directory / f"{stem}.toml"

    def _minor(self, stem: str) -> dict[tuple[Name, Version], ReleaseFacts]:
        if stem not in self._loaded:
            path = self.path(stem)
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            self._loaded[stem] = {(row.name, row.version): row for row in loads(text, str(path), hint=remedy(path))}
        return self._loaded[stem]


def minor(version: Version) -> str:
    """`2.17` for 2.17.1: the name of the file that holds a release."""
    return f"{version.major}.{version.minor}"


@lru_cache(maxsize=8192)
def platform_of(filename: str) -> Platform | None:
    """The platform of a wheel, by its filename; ``None`` for one that tfenv does not support."""
    tag = filename.removesuffix(".whl").rsplit("-", 1)[-1]
    for system, machine, platform in _PLATFORMS:
        if tag.startswith(system) and tag.endswith(machine):
            return platform
    return None


def loads(content: str, name: str = "<text>", *, hint: str | None = None) -> tuple[ReleaseFacts, ...]:
    """Read the rows of one file.

    Raises:
        UsageError: the text is not TOML, or has faults (all are listed); `name` names the file.
    """
    try:
        document = tomli.loads(content)
    except tomli.TOMLDecodeError as error:
        raise UsageError(f"`{name}` cannot be read: {error}", hint=hint) from None
    root = Row(document)
    rows: dict[tuple[Name, Version], ReleaseFacts] = {}
    for row, release in root.pairs("release", _release):
        if (release.name, release.version) in rows:
            row.fault("version", f"`{release.name} {release.version}` has a row already")
        rows[release.name, release.version] = release
    root.close()
    root.refuse(name, hint=hint)
    return tuple(rows.values())


def dumps(rows: Iterable[ReleaseFacts]) -> str:
    """The canonical text of these rows: by version, then name; wheels that differ only in their tags are grouped."""
    ordered = sorted(rows, key=lambda row: (row.version, row.name))
    return "\n".join([HEADER, *("\n".join(_release_lines(row)) + "\n" for row in ordered)])


def _release(row: Row) -> ReleaseFacts:
    wheels = tuple(wheel for group in row.rows("wheels", _wheels) for wheel in group)
    agreed = {wheel.requires_python for wheel in wheels if wheel.requires_dist is not None}
    return ReleaseFacts(
        name=normalize(row.text("name")),
        version=row.version("version"),
        uploaded=row.get("uploaded", _uploaded),
        requires_python=agreed.pop() if len(agreed) == 1 else None,
        wheels=tuple(sorted(wheels, key=lambda wheel: wheel.filename)),
        builds=row.rows("build", build_from),
        sources=row.texts("sources"),
        tier=row.tier(),
    )


def _wheels(group: Row) -> tuple[WheelFacts, ...]:
    """Wheels that differ only in their tags."""
    read = group.get("read", flag) is not False
    requires_dist = group.texts("requires-dist") if read else None
    requires_python, yanked = group.get("requires-python", text), group.get("yanked", text)
    return tuple(
        replace(wheel, requires_dist=requires_dist, requires_python=requires_python, yanked=yanked)
        for wheel in group.many("files", _file)
    )


def _file(value: object) -> WheelFacts:
    """Name, size in bytes (`?` if unknown), SHA-256 and symbols of a wheel."""
    match text(value).split():
        case [filename, size, sha256, *symbols] if filename.endswith(".whl") and (size == "?" or size.isdecimal()):
            return WheelFacts(
                filename=filename,
                size=None if size == "?" else int(size),
                sha256=sha256,
                glibc=_symbol("GLIBC", symbols),
                glibcxx=_symbol("GLIBCXX", symbols),
            )
    raise ValueError(f"is `{value}`, not the name, the size and the SHA-256 of a wheel")


def _symbol(family: str, symbols: Iterable[str]) -> Version | None:
    """The version of one family (`GLIBC`) among the symbols of a wheel."""
    parts = (symbol.partition("_") for symbol in symbols)
    return next((Version(version) for name, _, version in parts if name == family), None)


def _line(wheel: WheelFacts) -> str:
    """The line of a wheel, as `_file` reads it."""
    symbols = [f"GLIBC_{wheel.glibc}"] if wheel.glibc is not None else []
    symbols += [f"GLIBCXX_{wheel.glibcxx}"] if wheel.glibcxx is not None else []
    return " ".join((wheel.filename, "?" if wheel.size is None else str(wheel.size), wheel.sha256, *symbols))


def _uploaded(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a date with time in UTC")
    return value


def _release_lines(row: ReleaseFacts) -> Iterator[str]:
    yield "[[release]]"
    yield f"name = {quoted(row.name)}"
    yield f"version = {quoted(str(row.version))}"
    if row.uploaded is not None:
        yield f"uploaded = {row.uploaded.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    yield f"tier = {quoted(row.tier)}"
    yield from strings("sources", row.sources)
    for build in sorted(row.builds, key=lambda build: build.platform.value):
        yield "\n[[release.build]]"
        yield from build_lines(build)
    for _, group in groupby(sorted(row.wheels, key=_group), key=_group):
        wheels = list(group)
        first = wheels[0]
        yield "\n[[release.wheels]]"
        if first.requires_dist is None:
            yield "read = false  # METADATA and build not looked at"
        if first.requires_python is not None:
            yield f"requires-python = {quoted(first.requires_python)}"
        if first.yanked is not None:
            yield f"yanked = {quoted(first.yanked)}"
        if first.requires_dist is not None:
            yield from strings("requires-dist", first.requires_dist, spread=True)
        yield from strings("files", map(_line, wheels), spread=True)


def _group(wheel: WheelFacts) -> tuple[object, ...]:
    """The key by which wheels are grouped and sorted: wheels that were read come first."""
    unread = wheel.requires_dist is None
    declared = (wheel.requires_python or "", wheel.requires_dist or (), wheel.yanked is not None, wheel.yanked or "")
    return (unread, *declared)


def _is_minor(stem: str) -> bool:
    try:
        return minor(Version(stem)) == stem
    except InvalidVersion:
        return False
