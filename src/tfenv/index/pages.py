"""What a project page lists, as files and releases."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urldefrag, urljoin

from packaging.tags import parse_tag
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.index.credentials import split
from tfenv.index.listing import ACCEPT, entries
from tfenv.index.repair import specifier
from tfenv.model.package import File, Name, Release, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

__all__ = ["ACCEPT", "Link", "links", "listed", "parse", "releases"]

_SDISTS = (".tar.gz", ".zip", ".tgz", ".tar.bz2")
_BUILD = re.compile(r"(\d+)(.*)")
_FRACTION = re.compile(r"\.(\d+)")


class Link(NamedTuple):
    """A file as a page lists it, understood as far as its name goes; the rest waits until it is wanted.

    Attributes:
        name: of the project.
        version: of the release it belongs to.
        filename: as published.
        url: absolute, without credentials.
        tags: of a wheel.
        build: of a wheel.
        entry: all that the page says, in the shape of the JSON form.
    """

    name: Name
    version: Version
    filename: str
    url: str
    tags: frozenset[Tag]
    build: tuple[int, str] | tuple[()]
    entry: dict[str, Any]

    @property
    def upload_time(self) -> datetime | None:
        """In UTC, ``None`` if not told."""
        return _moment(self.entry.get("upload-time"))

    def file(self, index: str) -> File:
        """All of it; `index` is recorded in the file."""
        entry = self.entry
        size, promised, requires = entry.get("size"), entry.get("core-metadata"), entry.get("requires-python")
        if promised is None:
            promised = entry.get("dist-info-metadata")
        return File(
            name=self.name,
            version=self.version,
            filename=self.filename,
            url=self.url,
            sha256=_sha256(entry.get("hashes")),
            size=size if isinstance(size, int) and size >= 0 else None,
            upload_time=self.upload_time,
            requires_python=specifier(requires) if isinstance(requires, str) else None,
            yanked=_yanked(entry.get("yanked")),
            metadata_sha256=(_sha256(promised) or "") if promised else None,
            tags=self.tags,
            build=self.build,
            index=index,
        )


def links(body: bytes, content_type: str, *, url: str, name: Name) -> tuple[Link, ...]:
    """The wheels and source distributions that a page lists, in its order; what is neither is left out.

    Args:
        body: of the answer.
        content_type: the header of that name.
        url: of the page, after redirects: links are relative to it.
        name: of the project; files of other projects are left out.

    Raises:
        ValueError: it is no page of an index, or a damaged one.
    """
    found: dict[str, Link] = {}
    for entry in entries(body, content_type, url):
        link = _link(entry, url, name)
        if link is not None:
            found.setdefault(link.filename, link)
    return tuple(found.values())


def parse(body: bytes, content_type: str, *, url: str, name: Name, index: str) -> tuple[File, ...]:
    """The files of a page, all of them read to the end; otherwise as `links`."""
    return tuple(link.file(index) for link in links(body, content_type, url=url, name=name))


def releases(name: Name, files: Iterable[File]) -> tuple[Release, ...]:
    """Files grouped by version, newest version first, files by name."""
    return tuple(
        Release(name=name, version=version, files=tuple(sorted(group, key=_filename)))
        for version, group in _grouped(files)
    )


def listed(name: Name, links: Iterable[Link], index: str) -> tuple[Release, ...]:
    """The same from links; the files of a release are made when they are first looked at.

    A resolver looks at few releases of the many thousand files on the pages of a large project.
    """
    return tuple(_Listed.of(name, version, group, index) for version, group in _grouped(links))


class _Listed(Release):
    """A release whose `files` are filled in on demand (`__getattr__` is only asked for what is not there yet)."""

    __slots__ = ("_index", "_links")
    _index: str
    _links: list[Link]

    @classmethod
    def of(cls, name: Name, version: Version, links: list[Link], index: str) -> Release:
        release = object.__new__(cls)
        for attribute, value in (("name", name), ("version", version), ("_links", links), ("_index", index)):
            object.__setattr__(release, attribute, value)
        return release

    def __getattr__(self, attribute: str) -> tuple[File, ...]:
        if attribute != "files":
            raise AttributeError(attribute)
        files = tuple(link.file(self._index) for link in sorted(self._links, key=_filename))
        object.__setattr__(self, "files", files)
        return files


class _Versioned(Protocol):
    @property
    def version(self) -> Version: ...
    @property
    def filename(self) -> str: ...


V = TypeVar("V", bound=_Versioned)


def _filename(item: _Versioned) -> str:
    return item.filename


def _grouped(items: Iterable[V]) -> list[tuple[Version, list[V]]]:
    """By version, newest first."""
    groups: dict[Version, list[V]] = {}
    for item in items:
        groups.setdefault(item.version, []).append(item)
    return [(version, groups[version]) for version in sorted(groups, reverse=True)]


def _link(entry: dict[str, Any], url: str, name: Name) -> Link | None:
    filename, target = entry.get("filename"), entry.get("url")
    if not isinstance(filename, str) or not isinstance(target, str) or "/" in filename or "\\" in filename:
        return None
    tags: frozenset[Tag] = frozenset()
    build: tuple[int, str] | tuple[()] = ()
    if filename.endswith(".whl"):
        parts = filename[:-4].split("-")
        if len(parts) not in (5, 6) or _normalized(parts[0]) != name:
            return None
        version = _version(parts[1])
        try:
            tags = _tags("-".join(parts[-3:]))
        except ValueError:
            return None
        if len(parts) == 6:
            match = _BUILD.fullmatch(parts[2])
            if match is None:
                return None
            build = (int(match[1]), match[2])
    else:
        version = _sdist_version(filename, name)
    if version is None:
        return None
    if not target.startswith(("https://", "http://")) or "@" in target or "#" in target:
        try:
            target = split(urldefrag(urljoin(url, target)).url)[0]
        except (UsageError, ValueError):
            return None
    return Link(name, version, filename, target, tags, build, entry)


def _sdist_version(filename: str, name: Name) -> Version | None:
    """Names of source distributions were never fenced off from versions: try every dash, first fit."""
    extension = next((end for end in _SDISTS if filename.endswith(end)), None)
    if extension is None:
        return None
    stem = filename[: -len(extension)]
    for dash in re.finditer("-", stem):
        if _normalized(stem[: dash.start()]) == name and (version := _version(stem[dash.end() :])) is not None:
            return version
    return None


def _sha256(hashes: object) -> str | None:
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    if not isinstance(digest, str) or len(digest) != 64 or not digest.isalnum():
        return None
    return digest.lower()


def _yanked(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return "" if value is True else None


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    if len(text) != 27:  # Python 3.10 reads fractions of 3 and 6 digits only; PyPI gives 6
        text = _FRACTION.sub(lambda fraction: "." + fraction[1][:6].ljust(6, "0"), text)
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None
    if moment.tzinfo is timezone.utc:
        return moment
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


@lru_cache(maxsize=1024)
def _normalized(name: str) -> Name:
    return normalize(name)


@lru_cache(maxsize=16384)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


@lru_cache(maxsize=4096)
def _tags(text: str) -> frozenset[Tag]:
    return parse_tag(text)
