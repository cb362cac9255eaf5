"""Project pages of an index, JSON (PEP 691, PEP 700) or HTML (PEP 503), as entries of one shape."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
"""What is asked for, most wanted first (PEP 691, "Version + Format Selection")."""


def entries(body: bytes, content_type: str, url: str) -> list[dict[str, Any]]:
    """All files on a page, in the shape of the JSON form; nothing in them is checked yet.

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
        return _from_html(body, url)
    raise ValueError(f"its content type is `{kind}`, which is not that of a package index")


def _from_json(body: bytes) -> list[dict[str, Any]]:
    page = json.loads(body)
    try:
        version = str(page["meta"]["api-version"])
        files = page["files"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from None
    if not version.startswith("1."):
        raise ValueError(f"it speaks version {version} of the index API, tfenv speaks 1")
    if not isinstance(files, list):
        raise ValueError("its `files` is no list")  # noqa: TRY004 - one error for all faults of a page
    return [entry for entry in files if isinstance(entry, dict)]


class _Links(HTMLParser):
    """Collects anchors as entries shaped like those of the JSON form."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.entries: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("a", "base"):
            return
        values = dict(attrs)
        href = values.get("href")
        if not href:
            return
        if tag == "base":
            self.base = urljoin(self.base, href)
            return
        target, fragment = urldefrag(href)
        entry: dict[str, Any] = {
            "url": urljoin(self.base, target),
            "filename": unquote(target.partition("?")[0].rstrip("/").rpartition("/")[2]),
            "hashes": dict([fragment.split("=", 1)]) if "=" in fragment else {},
            "requires-python": values.get("data-requires-python"),
        }
        if "data-yanked" in values:
            entry["yanked"] = values["data-yanked"] or True
        promised = values.get("data-core-metadata", values.get("data-dist-info-metadata"))
        if promised:  # PEP 714: the newer name wins; `true`, or `sha256=…`
            algorithm, _, digest = promised.partition("=")
            entry["core-metadata"] = {algorithm: digest} if digest else promised.lower() == "true"
        self.entries.append(entry)


def _from_html(body: bytes, url: str) -> list[dict[str, Any]]:
    links = _Links(url)
    links.feed(body.decode("utf-8", errors="replace"))
    links.close()
    return links.entries
