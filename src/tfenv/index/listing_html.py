"""Project pages in HTML (PEP 503, 592, 658, 714), for indexes without JSON."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin


class _Links(HTMLParser):
    """Collects anchors as entries in the form of the JSON pages."""

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
        if promised:  # PEP 714: the newer name has priority; `true`, or `sha256=…`
            algorithm, _, digest = promised.partition("=")
            entry["core-metadata"] = {algorithm: digest} if digest else promised.lower() == "true"
        self.entries.append(entry)


def entries_of(body: bytes, url: str) -> list[dict[str, Any]]:
    """All files on a page, in the form of the JSON pages, not checked yet.

    Args:
        body: body of the page.
        url: URL of the page after redirects, to which links are relative.
    """
    links = _Links(url)
    links.feed(body.decode("utf-8", errors="replace"))
    links.close()
    return links.entries
