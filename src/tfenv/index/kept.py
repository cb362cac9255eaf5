"""A project page as the cache keeps it: one line a release, newest first, read when it is looked at.

A resolver looks at few releases of the many thousand files on the pages of a large project, and at the newest first.
"""

from __future__ import annotations

import re
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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from tfenv.index.listing import Link
    from tfenv.model.package import Name
    from tfenv.store.cache import StoredPage

KEPT = "application/vnd.tfenv.releases; version=2"
"""The content type of such a page."""

BUILD = re.compile(r"(\d+)(.*)")
_FILENAME = itemgetter(1)
_FRACTION = re.compile(r"\.(\d+)")


def _version(group: list[Link]) -> Version:
    return group[0][0]


def lines_of(links: Iterable[Link]) -> bytes:
    """The lines: version, a tab, and a JSON array of what the page says of its files, those by name."""
    groups: dict[int, list[Link]] = {}  # by identity: the hash of a version takes long, and most are the same object
    for link in links:
        groups.setdefault(id(link[0]), []).append(link)
    lines = []
    for version, same in groupby(sorted(groups.values(), key=_version, reverse=True), key=_version):
        files = [link for group in same for link in group]
        if len(files) > 1:
            files.sort(key=_FILENAME)
        lines.append(b"%b\t[%b]\n" % (str(version).encode(), b",".join([told for _, _, told in files])))
    return b"".join(lines)


def releases_of(body: bytes, name: Name, index: str) -> tuple[Release, ...]:
    """The releases, newest first; `index` is recorded in their files."""
    return tuple(Kept.of(name, line, index) for line in body.splitlines())


def undated(releases: Iterable[Release]) -> tuple[str, ...]:
    """Filenames of those that do not say when they were uploaded."""
    return tuple(sorted(f.filename for release in releases for f in release.files if f.upload_time is None))


def page_url(index: str, name: Name) -> str:
    """Where an index lists a project."""
    return f"{index}{quote(name)}/"


def is_readable(page: StoredPage) -> bool:
    """Was it kept by a version that writes what this one reads?"""
    return page.status in (404, 410) or (page.status == 200 and page.content_type == KEPT)


class Kept(Release):
    """A release read on demand (`__getattr__` is only asked for what is not there yet)."""

    __slots__ = ("_index", "_line")
    _index: str
    _line: bytes

    @classmethod
    def of(cls, name: Name, line: bytes, index: str) -> Release:
        """Of one line."""
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
            told = _MANY.decode(self._line[self._line.index(b"\t") :])
            value = tuple(file_of(file, self.name, self.version, self._index) for file in told)
        else:
            raise AttributeError(attribute)
        object.__setattr__(self, attribute, value)
        return value


class ListedFile(msgspec.Struct, gc=False, rename="kebab"):
    """What a page says of a file (PEP 691, 592, 700, 714); only the name and the URL are known to be sound."""

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
read = _ONE.decode


def file_of(told: ListedFile, name: Name, version: Version, index: str) -> File:
    """The file that is told of; what cannot be understood is not known. `index` is recorded in it."""
    tags, build = _labels(told.filename)
    size, requires = told.size, told.requires_python
    promised = told.dist_info_metadata if told.core_metadata is None else told.core_metadata
    return File(
        name=name,
        version=version,
        filename=told.filename,
        url=told.url,
        sha256=_sha256(told.hashes),
        size=size if isinstance(size, int) and size >= 0 else None,
        upload_time=_moment(told.upload_time),
        requires_python=specifier(requires) if isinstance(requires, str) else None,
        yanked=_yanked(told.yanked),
        metadata_sha256=(_sha256(promised) or "") if promised else None,
        tags=tags,
        build=build,
        index=index,
    )


def _sha256(hashes: object) -> str | None:
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    if not isinstance(digest, str) or len(digest) != 64 or not digest.isalnum():
        return None
    return digest.lower()


def _yanked(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return "" if value is True else None


def _labels(filename: str) -> tuple[frozenset[Tag], tuple[int, str] | tuple[()]]:
    """Tags and build of a wheel."""
    if not filename.endswith(".whl"):
        return frozenset(), ()
    parts = filename[:-4].split("-")
    match = BUILD.fullmatch(parts[2]) if len(parts) == 6 else None
    return tags_of("-".join(parts[-3:])), () if match is None else (int(match[1]), match[2])


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    if len(text) != 27:  # Python 3.10 reads fractions of 3 and 6 digits only; PyPI gives 6
        text = _FRACTION.sub(lambda fraction: "." + fraction[1][:6].ljust(6, "0"), text)
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=4096)
def tags_of(text: str) -> frozenset[Tag]:
    """The tags that a filename compresses; cached, since the files of a project share them."""
    return parse_tag(text)
