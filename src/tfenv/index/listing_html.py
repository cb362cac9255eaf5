"""Project pages in HTML (PEP 503, 592, 658, 714), for indexes without JSON."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

_MOST_UNFINISHED = 1000


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
        try:
            joined = urljoin(self.base, href)
            target, fragment = urldefrag(href)
        except ValueError:  # not a URL, such as http://[
            return
        if tag == "base":
            self.base = joined
            return
        entry: dict[str, Any] = {
            "url": urldefrag(joined).url,
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

    Raises:
        ValueError: most of its tags are not finished, so that it is not a page.
    """
    links = _Links(url)
    text = body.decode("utf-8", errors="replace")
    # the parser looks again through all that follows an unfinished tag, which takes quadratic time
    if text.count("<") > _MOST_UNFINISHED + 2 * text.count(">"):
        raise ValueError("most of its tags are not finished")
    links.feed(text)
    links.close()
    return links.entries
