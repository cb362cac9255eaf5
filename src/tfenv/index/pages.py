"""The files on a project page."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urldefrag, urljoin

from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.index.credentials import split
from tfenv.index.kept import BUILD, file_of, read, tags_of
from tfenv.index.listing import ACCEPT, Link, entries
from tfenv.model.package import Name, Release, normalize
from tfenv.store.foreign import is_component

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.model.package import File

__all__ = ["ACCEPT", "Link", "links", "parse", "releases"]

_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[!\"$-?A-~]*", re.ASCII)
"""an absolute URL without credentials, fragment, and characters that URLs do not have"""
_MOST_TAGS = 512
"""combinations of tags of one wheel; published wheels have 10 at most"""
_SDISTS = (".tar.gz", ".zip", ".tgz", ".tar.bz2")


def links(body: bytes, content_type: str, *, url: str, name: Name) -> tuple[Link, ...]:
    """The wheels and source distributions on a page, in its order; other files are left out.

    Args:
        body: body of the response.
        content_type: header of that name.
        url: URL of the page after redirects, to which links are relative.
        name: name of the project; files of other projects are left out.

    Raises:
        ValueError: the body is not a page of an index, or is damaged.
    """
    found: dict[str, Link] = {}
    for filename, target, entry in entries(body, content_type, url):
        if filename in found or (version := _version_of(filename, name)) is None:
            continue
        if _PLAIN_URL.fullmatch(target) is not None:
            found[filename] = version, filename, entry
        elif (clean := _absolute(target, url)) is not None:
            mended = json.dumps(json.loads(bytes(entry)) | {"url": clean}, separators=(",", ":"))
            found[filename] = version, filename, mended.encode()
    return tuple(found.values())


def parse(body: bytes, content_type: str, *, url: str, name: Name, index: str) -> tuple[File, ...]:
    """The files of a page, all of them read to the end; otherwise as `links`."""
    return tuple(
        file_of(read(entry), name, version, index)
        for version, _, entry in links(body, content_type, url=url, name=name)
    )


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


def _absolute(target: str, url: str) -> str | None:
    """The absolute URL of a link on the page at `url`, without fragment and credentials; ``None`` if not valid."""
    try:
        return split(urldefrag(urljoin(url, target)).url)[0]
    except (UsageError, ValueError):
        return None


def _version_of(filename: str, name: Name) -> Version | None:
    """The version of a wheel or source distribution of the project; ``None`` for any other filename."""
    if not is_component(filename):
        return None
    if not filename.endswith(".whl"):
        return _sdist_version(filename, name)
    distribution, _, rest = filename[:-4].partition("-")
    text, _, labels = rest.partition("-")
    if _normalized(distribution) != name or not _are_labels(labels):
        return None
    return _version(text)


@lru_cache(maxsize=4096)
def _are_labels(text: str) -> bool:
    """Are these the tags of a wheel, with or without a build number before them?"""
    parts = text.split("-")
    if len(parts) == 4 and BUILD.fullmatch(parts.pop(0)) is None:
        return False
    if prod(part.count(".") + 1 for part in parts) > _MOST_TAGS:
        return False
    try:
        return len(parts) == 3 and bool(tags_of("-".join(parts)))
    except ValueError:
        return False


def _sdist_version(filename: str, name: Name) -> Version | None:
    """The version in the name of a source distribution: after the first dash that fits, since names may have dashes."""
    extension = next((end for end in _SDISTS if filename.endswith(end)), None)
    if extension is None:
        return None
    stem = filename[: -len(extension)]
    for dash in re.finditer("-", stem):
        if _normalized(stem[: dash.start()]) == name and (version := _version(stem[dash.end() :])) is not None:
            return version
    return None


@lru_cache(maxsize=1024)
def _normalized(name: str) -> Name:
    return normalize(name)


@lru_cache(maxsize=16384)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # not a version, or a number of thousands of digits
        return None
