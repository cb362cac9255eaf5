"""A project page as the cache keeps it: one line a release, newest first, read when it is looked at.

A resolver looks at few releases of the many thousand files on the pages of a large project, and at the newest first.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.tags import parse_tag
from packaging.version import Version

from tfenv.index.repair import specifier
from tfenv.model.package import File, Release

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from tfenv.index.cache import StoredPage
    from tfenv.index.pages import Link
    from tfenv.model.package import Name

KEPT = "application/vnd.tfenv.releases; version=1"
"""The content type of such a page."""

BUILD = re.compile(r"(\d+)(.*)")
_FRACTION = re.compile(r"\.(\d+)")


def pack(links: Iterable[Link]) -> bytes:
    """The lines: version, a tab, and its files by name, as JSON."""
    groups: dict[Version, list[Link]] = {}
    for link in links:
        groups.setdefault(link.version, []).append(link)
    lines = []
    for version in sorted(groups, reverse=True):
        files = [link.row for link in sorted(groups[version], key=lambda link: link.filename)]
        lines.append(f"{version}\t{json.dumps(files, separators=(',', ':'))}\n")
    return "".join(lines).encode()


def unpack(body: bytes, name: Name, index: str) -> tuple[Release, ...]:
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
            rows = json.loads(self._line[self._line.index(b"\t") :])
            value = tuple(file_of(row, self.name, self.version, self._index) for row in rows)
        else:
            raise AttributeError(attribute)
        object.__setattr__(self, attribute, value)
        return value


def file_of(row: list[Any], name: Name, version: Version, index: str) -> File:
    """The file that a row tells of; `index` is recorded in it."""
    filename, url, sha256, size, uploaded, requires, yanked, promised = row
    tags, build = _labels(filename)
    return File(
        name=name,
        version=version,
        filename=filename,
        url=url,
        sha256=sha256,
        size=size,
        upload_time=_moment(uploaded),
        requires_python=None if requires is None else specifier(requires),
        yanked=yanked,
        metadata_sha256=promised,
        tags=tags,
        build=build,
        index=index,
    )


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
    if moment.tzinfo is timezone.utc:
        return moment
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


@lru_cache(maxsize=4096)
def tags_of(text: str) -> frozenset[Tag]:
    """The tags that a filename compresses; cached, since the files of a project share them."""
    return parse_tag(text)
