"""The recorded index, served as PyPI serves its own: an RSGI application, run by granian over TLS with HTTP/2.

JSON pages with PEP 658 metadata for every wheel, gzip, an ETag, `max-age=600`. Every response is delayed by one round
trip, which `/-/rtt/MILLISECONDS` sets. `/-/counts` returns the number of requests since its last call. All responses
are prepared before the first request, so that no tool waits for them. While recording, responses that are missing are
requested from the real index (metadata by range reads, which every index allows).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import html
import io
import json
import os
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks.world import World

JSON = "application/vnd.pypi.simple.v1+json"
UPSTREAM_PAGES = "https://pypi.org"
UPSTREAM_FILES = "https://files.pythonhosted.org"
LARGEST = 4 * 2**20
"""bytes; largest file that is recorded whole: source distributions and their build tools"""

Answer = tuple[int, list[tuple[str, str]], bytes]


class Index:
    """The application; responses are kept in the form in which they are sent."""

    def __init__(self) -> None:
        self._world = World(Path(os.environ["BENCHMARK_WORLD"]))
        self._origin = os.environ["BENCHMARK_ORIGIN"]
        self._recording = bool(os.environ.get("BENCHMARK_RECORD"))
        self._rtt = 0.0
        self._sent: dict[tuple[str, bool, bool], Answer] = {}
        self._counts: Counter[str] = Counter()
        self._locks: dict[str, asyncio.Lock] = {}
        self._hashes = {
            path.removesuffix(".metadata"): hashlib.sha256(body).hexdigest()
            for path in self._world.paths("/packages/")
            if path.endswith(".metadata") and (found := self._world.get(path)) is not None and (body := found[1])
        }
        if not self._recording:
            for path in self._world.paths("/"):
                for squeezed in (True, False):
                    self._sent[path, True, squeezed] = self._made(path, as_json=True, squeezed=squeezed)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:  # the name granian calls
        """Answer one request."""
        path, headers = scope.path, scope.headers
        if path.startswith("/-/"):
            protocol.response_bytes(200, [("content-type", JSON)], self._control(path))
            return
        wanted = headers.get("range")
        is_page = path.startswith("/simple/")
        # a file is the same in every form
        as_json = not is_page or "json" in headers.get("accept", "")
        squeezed = wanted is None and "gzip" in headers.get("accept-encoding", "")
        answer = self._sent.get((path, as_json, squeezed))
        if answer is None:
            answer = await self._first(unquote(path), as_json=as_json, squeezed=squeezed)
            self._sent[path, as_json, squeezed] = answer
        status, sent, body = answer
        if status == 200:
            if (etag := headers.get("if-none-match")) is not None and ("etag", etag) in sent:
                status, sent, body = 304, [pair for pair in sent if pair[0] in ("etag", "cache-control")], b""
            elif wanted is not None and not is_page and (ends := re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)):
                status, sent, body = _part(sent, body, ends[1], ends[2])
        if self._rtt:
            await asyncio.sleep(self._rtt)
        counts = self._counts
        counts["requests"] += 1
        counts["bytes"] += len(body)
        counts["pages" if is_page else "files"] += 1
        counts[f"http/{scope.http_version}"] += 1
        if status == 404:
            counts["404"] += 1
        protocol.response_bytes(status, sent, body)

    def _control(self, path: str) -> bytes:
        if path.startswith("/-/rtt/"):
            self._rtt = float(path.rsplit("/", 1)[1]) / 1000
        counts, self._counts = self._counts, Counter()
        return json.dumps(counts).encode()

    async def _first(self, path: str, *, as_json: bool, squeezed: bool) -> Answer:
        async with self._locks.setdefault(path, asyncio.Lock()):
            if self._recording and self._world.get(path) is None:
                self._world.keep(path, *await _fetch(path))
        return self._made(path, as_json=as_json, squeezed=squeezed)

    def _made(self, path: str, *, as_json: bool, squeezed: bool) -> Answer:
        found = self._world.get(path)
        if path.startswith("/simple/"):
            return self._page(found, as_json=as_json, squeezed=squeezed)
        return _file(path, self._stub(path) if found is None else found)

    def _page(self, found: tuple[int, bytes] | None, *, as_json: bool, squeezed: bool) -> Answer:
        if found is None or found[0] != 200:
            return 404, [("content-type", "text/plain"), ("cache-control", "max-age=600, public")], b"not found"
        page = json.loads(found[1])
        for entry in page["files"]:
            where = entry["url"].removeprefix(UPSTREAM_FILES)
            entry["url"] = f"{self._origin}{where}"
            if entry["filename"].endswith(".whl"):
                known = self._hashes.get(unquote(where))
                entry["core-metadata"] = entry["data-dist-info-metadata"] = {"sha256": known} if known else True
        body = json.dumps(page).encode() if as_json else _html(page)
        headers = [
            ("content-type", JSON if as_json else "text/html"),
            ("cache-control", "max-age=600, public"),
            ("etag", f'"{hashlib.sha256(body).hexdigest()[:32]}"'),
            ("vary", "Accept, Accept-Encoding"),
        ]
        if squeezed:
            return 200, [*headers, ("content-encoding", "gzip")], gzip.compress(body, 6, mtime=0)
        return 200, headers, body

    def _stub(self, path: str) -> tuple[int, bytes]:
        """A wheel that contains only its metadata, for tools that read ranges of it."""
        found = self._world.get(f"{path}.metadata")
        if found is None or found[0] != 200:
            return 404, b"not recorded"
        stem = "-".join(path.rsplit("/", 1)[1].split("-")[:2])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{stem}.dist-info/METADATA"), found[1])
        return 200, buffer.getvalue()


def _file(path: str, found: tuple[int, bytes]) -> Answer:
    status, body = found
    headers = [
        ("content-type", "application/octet-stream"),
        ("cache-control", "max-age=365000000, immutable, public"),
        ("etag", f'"{hashlib.sha256(path.encode()).hexdigest()[:32]}"'),
        ("accept-ranges", "bytes"),
    ]
    return status, headers, body


def _part(headers: list[tuple[str, str]], body: bytes, first: str, last: str) -> Answer:
    start, stop = (int(first), int(last or len(body) - 1) + 1) if first else (len(body) - int(last), len(body))
    start, stop = max(start, 0), min(stop, len(body))
    return 206, [*headers, ("content-range", f"bytes {start}-{stop - 1}/{len(body)}")], body[start:stop]


def _html(page: dict[str, Any]) -> bytes:
    """The same page as HTML (PEP 503), for tools that do not read JSON."""
    lines = ["<!DOCTYPE html><html><body>"]
    for entry in page["files"]:
        values = {"href": f"{entry['url']}#sha256={entry['hashes'].get('sha256', '')}"}
        if entry.get("requires-python"):
            values["data-requires-python"] = entry["requires-python"]
        if entry.get("yanked"):
            values["data-yanked"] = str(entry["yanked"])
        if promised := entry.get("core-metadata"):
            values["data-core-metadata"] = f"sha256={promised['sha256']}" if isinstance(promised, dict) else "true"
        attributes = " ".join(f'{key}="{html.escape(value)}"' for key, value in values.items())
        lines.append(f"<a {attributes}>{html.escape(entry['filename'])}</a><br/>")
    return "\n".join([*lines, "</body></html>"]).encode()


async def _fetch(path: str) -> tuple[int, bytes]:
    """Ask the real index."""
    from tfenv.errors import IndexUnavailable
    from tfenv.index.client import Client

    async with Client(http2=False) as client:
        try:
            if path.startswith("/simple/"):
                response = await client.get(f"{UPSTREAM_PAGES}{path}", {"Accept": JSON})
                return response.status_code, response.content
            if path.endswith(".whl.metadata"):
                archive = await client.open_zip(f"{UPSTREAM_FILES}{path.removesuffix('.metadata')}")
                name = next(n for n in archive.names() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
                return 200, await archive.read(name)
            response = await client.get(f"{UPSTREAM_FILES}{path}", limit=LARGEST)
        except (IndexUnavailable, StopIteration, zipfile.BadZipFile):
            return 404, b""
        return response.status_code, response.content


app = Index()
