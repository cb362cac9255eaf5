"""Project pages of an index, JSON (PEP 691, PEP 700) or HTML (PEP 503), as entries of one shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tfenv.store.foreign import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
"""Accepted content types, preferred first (PEP 691, "Version + Format Selection")."""


PageEntry: TypeAlias = "tuple[str, str, bytes | msgspec.Raw]"
"""A file on a page, not checked yet: filename, URL (perhaps relative), and its entry as a JSON object on one line."""

Link: TypeAlias = "tuple[Version, str, bytes | msgspec.Raw]"
"""A file on a page of which only the name is parsed: version, filename, and its entry as in `PageEntry`, but with an
absolute URL without credentials."""


def entries(body: bytes, content_type: str, url: str) -> Iterable[PageEntry]:
    """All files on a page.

    Args:
        body: body of the response.
        content_type: header of that name.
        url: URL of the page after redirects, to which links of HTML are relative.

    Raises:
        ValueError: the body is not a page of an index, or is damaged.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return _from_json(body)
    if kind in (HTML, "text/html"):
        # html.parser takes 4 ms to import, and most indexes have JSON
        from tfenv.index.listing_html import entries_of

        return [entry for file in entries_of(body, url) if (entry := _written(file)) is not None]
    raise ValueError(f"its content type is `{kind}`, which is not that of a package index")


class _Head(msgspec.Struct, gc=False):
    filename: str
    url: str


class _Heads(msgspec.Struct):
    meta: dict[str, Any]
    files: list[_Head]


class _Files(msgspec.Struct):
    files: list[msgspec.Raw]


_LONGEST_INTEGER = 19
_MOST_FILES = 50_000
"""files of a project; the largest on PyPI have some 20,000"""
_ENTRY = msgspec.json.Decoder()
_HEADS, _FILES = msgspec.json.Decoder(_Heads), msgspec.json.Decoder(_Files)


def _from_json(body: bytes) -> Iterable[PageEntry]:
    """The files of a usual page, cut out of it unparsed, because few of the thousands are ever accessed."""
    try:
        page = _HEADS.decode(body)
        if b"\n" in body or b"\r" in body or b"\\u" in body or not _is_text(body):
            return _from_odd_json(body)
        files = _FILES.decode(body).files
    except (msgspec.DecodeError, RecursionError):
        return _from_odd_json(body)
    if len(files) > _MOST_FILES:
        raise ValueError(f"it lists {len(files)} files, more than tfenv reads")
    _check(page.meta.get("api-version"))
    return zip([head.filename for head in page.files], [head.url for head in page.files], files, strict=True)


def _from_odd_json(body: bytes) -> list[PageEntry]:
    """The files of a page with line breaks or faults, which is parsed whole; valid entries are written again."""
    try:
        page = json.loads(body.decode("utf-8", errors="replace"), parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    try:
        version, files = page["meta"]["api-version"], page["files"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from None
    _check(version)
    if not isinstance(files, list) or len(files) > _MOST_FILES:
        raise ValueError(f"its `files` is not a list of at most {_MOST_FILES}")
    return [entry for file in files if isinstance(file, dict) and (entry := _written(file)) is not None]


def _check(version: object) -> None:
    if version is None:
        raise ValueError("it lacks 'api-version'")
    if not str(version).startswith("1."):
        raise ValueError(f"it uses version {shown(version)} of the index API, but tfenv supports version 1")


def _written(file: dict[str, Any]) -> PageEntry | None:
    filename, url = file.get("filename"), file.get("url")
    if not isinstance(filename, str) or not isinstance(url, str):
        return None
    try:
        entry = json.dumps(file, separators=(",", ":")).encode()
        _ENTRY.decode(entry)  # fails for half of a surrogate pair, and for nesting
    except (ValueError, msgspec.DecodeError, RecursionError):  # DecodeError of old releases is no ValueError
        return None
    return filename, url, entry


def _integer(digits: str) -> int | None:
    """An integer, if it is one that a page may contain; Python refuses those of thousands of digits."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _is_text(body: bytes) -> bool:
    """Whether a body is UTF-8; almost all pages are ASCII, which is found out fastest."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
