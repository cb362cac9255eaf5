"""Project pages of an index, JSON (PEP 691, PEP 700) or HTML (PEP 503), as entries of one shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
"""What is asked for, most wanted first (PEP 691, "Version + Format Selection")."""


PageEntry: TypeAlias = "tuple[str, str, bytes | msgspec.Raw]"
"""A file on a page, nothing of it checked yet: filename, URL (perhaps relative), and all that the page says of it,
a JSON object on one line, in the shape of the JSON form."""

Link: TypeAlias = "tuple[Version, str, bytes | msgspec.Raw]"
"""A file as a page lists it, understood as far as its name goes; the rest waits until it is wanted: its version, its
filename, and all that the page says, as `PageEntry` has it, the URL absolute and without credentials."""


def entries(body: bytes, content_type: str, url: str) -> Iterable[PageEntry]:
    """All files on a page.

    Args:
        body: of the answer.
        content_type: the header of that name.
        url: of the page, after redirects: the links of HTML are relative to it.

    Raises:
        ValueError: it is no page of an index, or a damaged one.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return _from_json(body)
    if kind in (HTML, "text/html"):
        from tfenv.index.listing_html import entries_of

        return [entry for told in entries_of(body, url) if (entry := _written(told)) is not None]
    raise ValueError(f"its content type is `{kind}`, which is not that of a package index")


class _Head(msgspec.Struct, gc=False):
    filename: str
    url: str


class _Heads(msgspec.Struct):
    meta: dict[str, Any]
    files: list[_Head]


class _Files(msgspec.Struct):
    files: list[msgspec.Raw]


_HEADS, _FILES = msgspec.json.Decoder(_Heads), msgspec.json.Decoder(_Files)


def _from_json(body: bytes) -> Iterable[PageEntry]:
    """The files of a usual page are cut out of it as they stand: of the thousands on it, few are ever looked at."""
    try:
        page = _HEADS.decode(body)
    except msgspec.DecodeError:
        return _from_odd_json(body)
    _check(page.meta.get("api-version"))
    if b"\n" in body or b"\r" in body:
        return _from_odd_json(body)
    told = _FILES.decode(body).files
    return zip([head.filename for head in page.files], [head.url for head in page.files], told, strict=True)


def _from_odd_json(body: bytes) -> list[PageEntry]:
    """A page on several lines, or with faults in it: read whole, and what can be understood is written anew."""
    page = json.loads(body)
    try:
        version, files = page["meta"]["api-version"], page["files"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from None
    _check(version)
    if not isinstance(files, list):
        raise ValueError("its `files` is no list")  # noqa: TRY004 - one error for all faults of a page
    return [entry for told in files if isinstance(told, dict) and (entry := _written(told)) is not None]


def _check(version: object) -> None:
    if version is None:
        raise ValueError("it lacks 'api-version'")
    if not str(version).startswith("1."):
        raise ValueError(f"it speaks version {version} of the index API, tfenv speaks 1")


def _written(told: dict[str, Any]) -> PageEntry | None:
    filename, url = told.get("filename"), told.get("url")
    if not isinstance(filename, str) or not isinstance(url, str):
        return None
    return filename, url, json.dumps(told, separators=(",", ":")).encode()
