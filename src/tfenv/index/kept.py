"""A project page in the form of the cache: one line for each release, newest first, parsed on access.

A resolver accesses only a few of the thousands of releases and files of a large project, the newest first.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from packaging.tags import parse_tag
from packaging.version import Version

from tfenv.index.lenient import specifier
from tfenv.model.package import File, Release
from tfenv.store.foreign import is_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from tfenv.index.listing import Link
    from tfenv.model.package import Name
    from tfenv.store.cache import StoredPage

KEPT = "application/vnd.tfenv.releases; version=2"
"""Content type of such a page."""

BUILD = re.compile(r"(\d+)(.*)")
_FILENAME = itemgetter(1)
_LARGEST = 2**63 - 1
"""bytes of a file; TOML has no larger numbers"""
_FRACTION = re.compile(r"\.(\d+)")


def _version(group: list[Link]) -> Version:
    return group[0][0]


def lines_of(links: Iterable[Link]) -> bytes:
    """The lines of a page: version, tab, and a JSON array with the entries of its files, sorted by name."""
    groups: dict[int, list[Link]] = {}  # by identity: hashing versions is slow, and most are the same object
    for link in links:
        groups.setdefault(id(link[0]), []).append(link)
    lines = []
    for version, same in groupby(sorted(groups.values(), key=_version, reverse=True), key=_version):
        files = [link for group in same for link in group]
        if len(files) > 1:
            files.sort(key=_FILENAME)
        lines.append(b"%b\t[%b]\n" % (str(version).encode(), b",".join([entry for _, _, entry in files])))
    return b"".join(lines)


def releases_of(body: bytes, name: Name, index: str) -> tuple[Release, ...]:
    """The releases in the lines of a page, newest first; `index` is recorded in their files."""
    return tuple(Kept.of(name, line, index) for line in body.splitlines())


def undated(releases: Iterable[Release]) -> tuple[str, ...]:
    """The filenames of files without upload time."""
    return tuple(sorted(f.filename for release in releases for f in release.files if f.upload_time is None))


def page_url(index: str, name: Name) -> str:
    """The URL of a project's page on an index."""
    return f"{index}{quote(name)}/"


def is_readable(page: StoredPage) -> bool:
    """Whether this version of tfenv can read a page in the cache."""
    return page.status in (404, 410) or (page.status == 200 and page.content_type == KEPT)


class Kept(Release):
    """A release parsed on access (`__getattr__` is called only for attributes that are not set yet)."""

    __slots__ = ("_index", "_line")
    _index: str
    _line: bytes

    @classmethod
    def of(cls, name: Name, line: bytes, index: str) -> Release:
        """The release in one line."""
        release = object.__new__(cls)
        put = object.__setattr__
        put(release, "name", name)
        put(release, "_line", line)
        put(release, "_index", index)
        return release

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "version":
            value: Any = Version(self._line[: self._line.index(b"\t")].decode())
        elif attribute == "files":
            entries = _entries(self._line[self._line.index(b"\t") :])
            value = tuple(file_of(file, self.name, self.version, self._index) for file in entries)
        else:
            raise AttributeError(attribute)
        object.__setattr__(self, attribute, value)
        return value


class ListedFile(msgspec.Struct, gc=False, rename="kebab"):
    """The entry of a file on a page (PEP 691, 592, 700, 714); only the types of name and URL are checked."""

    filename: str
    url: str
    hashes: Any = None
    size: Any = None
    upload_time: Any = None
    requires_python: Any = None
    yanked: Any = None
    core_metadata: Any = None
    dist_info_metadata: Any = None


_ONE, _MANY = msgspec.json.Decoder(ListedFile), msgspec.json.Decoder(list[ListedFile])
_UNREAD = msgspec.json.Decoder(list[msgspec.Raw])
read = _ONE.decode


def _entries(line: bytes) -> list[ListedFile]:
    """The entries of a release; those that cannot be read, such as one with a number out of range, are left out."""
    try:
        return _MANY.decode(line)
    except (msgspec.DecodeError, RecursionError):
        found = []
    for entry in _UNREAD.decode(line):
        with suppress(msgspec.DecodeError, RecursionError):
            found.append(read(entry))
    return found


def file_of(listed: ListedFile, name: Name, version: Version, index: str) -> File:
    """The file of an entry, with `index` recorded in it; fields that are not valid count as unknown."""
    tags, build = _labels(listed.filename)
    size, requires = listed.size, listed.requires_python
    promised = listed.dist_info_metadata if listed.core_metadata is None else listed.core_metadata
    return File(
        name=name,
        version=version,
        filename=listed.filename,
        url=listed.url,
        sha256=_sha256(listed.hashes),
        size=size if type(size) is int and 0 <= size <= _LARGEST else None,
        upload_time=_moment(listed.upload_time),
        requires_python=specifier(requires) if isinstance(requires, str) else None,
        yanked=_yanked(listed.yanked),
        metadata_sha256=(_sha256(promised) or "") if promised else None,
        tags=tags,
        build=build,
        index=index,
    )


def _sha256(hashes: object) -> str | None:
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    digest = digest.lower() if isinstance(digest, str) else None
    return digest if is_sha256(digest) else None


def _yanked(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return "" if value is True else None


def _labels(filename: str) -> tuple[frozenset[Tag], tuple[int, str] | tuple[()]]:
    """The tags and build number of a wheel."""
    if not filename.endswith(".whl"):
        return frozenset(), ()
    parts = filename[:-4].split("-")
    match = BUILD.fullmatch(parts[2]) if len(parts) == 6 else None
    return tags_of("-".join(parts[-3:])), () if match is None else (int(match[1]), match[2])


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    if len(text) != 27:  # bring the fraction to 6 digits, as on PyPI
        text = _FRACTION.sub(lambda fraction: "." + fraction[1][:6].ljust(6, "0"), text)
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one that UTC has no year for
        return None


@lru_cache(maxsize=4096)
def tags_of(text: str) -> frozenset[Tag]:
    """The tags in a filename; cached, because the files of a project share them."""
    return parse_tag(text)
