"""What a project page lists, as files and releases."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urldefrag, urljoin

from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.index.credentials import split
from tfenv.index.kept import BUILD, file_of, tags_of
from tfenv.index.listing import ACCEPT, entries
from tfenv.model.package import Name, Release, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.model.package import File

__all__ = ["ACCEPT", "Link", "links", "parse", "releases"]

_SDISTS = (".tar.gz", ".zip", ".tgz", ".tar.bz2")


class Link(NamedTuple):
    """A file as a page lists it, understood as far as its name goes; the rest waits until it is wanted.

    Attributes:
        name: of the project.
        version: of the release it belongs to.
        filename: as published.
        url: absolute, without credentials.
        entry: all that the page says, in the shape of the JSON form.
    """

    name: Name
    version: Version
    filename: str
    url: str
    entry: dict[str, Any]

    @property
    def row(self) -> list[Any]:
        """All that is wanted of it, in JSON types, as `File` has it: what cannot be understood is not told."""
        entry = self.entry
        size, promised, requires = entry.get("size"), entry.get("core-metadata"), entry.get("requires-python")
        if promised is None:
            promised = entry.get("dist-info-metadata")
        uploaded = entry.get("upload-time")
        return [
            self.filename,
            self.url,
            _sha256(entry.get("hashes")),
            size if isinstance(size, int) and size >= 0 else None,
            uploaded if isinstance(uploaded, str) else None,
            requires if isinstance(requires, str) else None,
            _yanked(entry.get("yanked")),
            (_sha256(promised) or "") if promised else None,
        ]


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
    return tuple(file_of(link.row, name, link.version, index) for link in links(body, content_type, url=url, name=name))


def releases(name: Name, files: Iterable[File]) -> tuple[Release, ...]:
    """Files grouped by version, newest version first, files by name."""
    return tuple(
        Release(name=name, version=version, files=tuple(sorted(group, key=_filename)))
        for version, group in _grouped(files)
    )


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
    if filename.endswith(".whl"):
        parts = filename[:-4].split("-")
        if len(parts) not in (5, 6) or _normalized(parts[0]) != name:
            return None
        version = _version(parts[1])
        try:
            tags_of("-".join(parts[-3:]))
        except ValueError:
            return None
        if len(parts) == 6 and BUILD.fullmatch(parts[2]) is None:
            return None
    else:
        version = _sdist_version(filename, name)
    if version is None:
        return None
    if not target.startswith(("https://", "http://")) or "@" in target or "#" in target:
        try:
            target = split(urldefrag(urljoin(url, target)).url)[0]
        except (UsageError, ValueError):
            return None
    return Link(name, version, filename, target, entry)


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


@lru_cache(maxsize=1024)
def _normalized(name: str) -> Name:
    return normalize(name)


@lru_cache(maxsize=16384)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
