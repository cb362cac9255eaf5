"""A package index on 127.0.0.1: real HTTP, real archives, and the faults that indexes have.

::

    with FakeIndex() as index:
        index.add_wheel("demo", "1.0", requires=["six>=1.0"], requires_python=">=3.9")
        index.add_sdist("gast", "0.2.2", files={"setup.py": "..."})
        index.fault("demo-1.0", status=500, times=2)
        ... index.url ...
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import ssl
import tarfile
import threading
import time
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"
UPLOADED = "2024-06-01T12:00:00Z"


@dataclass(kw_only=True)
class Published:
    """One file that the index serves; change it after adding to make the index lie."""

    project: str
    filename: str
    content: bytes
    metadata: bytes
    sha256: str
    requires_python: str | None
    uploaded: str | None
    yanked: str | bool


@dataclass(kw_only=True)
class Fault:
    """What happens to requests whose path contains `path`, for the next `times` of them."""

    path: str
    times: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    seconds: float = 0.0
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request that came in; header names are lower-case."""

    path: str
    headers: Mapping[str, str]
    status: int
    sent: int


class FakeIndex(LocalServer):
    """Serves what was added to it; a context manager.

    Args:
        json_pages: PEP 691 JSON if asked for it, else HTML only.
        metadata: PEP 658 files beside the wheels.
        ranges: byte ranges of files.
        dates: upload times on JSON pages.
        hashes: SHA-256 of files on pages.
        etags: pages have an ETag and answer 304.
        cache_control: header of pages.
        auth: user and password that every request must show.
        tls: files of a certificate and its key; then `url` is https.

    Attributes:
        requests: all that came in.
        files: by filename.
        most_at_once: requests that were being answered at the same time.
        redirects: path to the URL it answers with.
    """

    def __init__(
        self,
        *,
        json_pages: bool = True,
        metadata: bool = True,
        ranges: bool = True,
        dates: bool = True,
        hashes: bool = True,
        etags: bool = False,
        cache_control: str | None = None,
        auth: tuple[str, str] | None = None,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.json_pages = json_pages
        self.metadata = metadata
        self.ranges = ranges
        self.dates = dates
        self.hashes = hashes
        self.etags = etags
        self.cache_control = cache_control
        self.auth = auth
        self.requests: list[Seen] = []
        self.most_at_once = 0
        self._at_once = 0
        self.files: dict[str, Published] = {}
        self.redirects: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._guard = threading.Lock()
        index = self

        class Handler(_Handler):
            fake = index

        super().__init__(Handler)
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Of the index itself, as for `--index-url`."""
        return f"{self._scheme}://{self.address}/simple/"

    def url_with(self, user: str, password: str) -> str:
        """The same with credentials in it."""
        return f"{self._scheme}://{user}:{password}@{self.address}/simple/"

    def add_wheel(
        self,
        name: str,
        version: str,
        *,
        requires: Sequence[str] = (),
        requires_python: str | None = None,
        extras: Sequence[str] = (),
        tags: str = "py3-none-any",
        build: str = "",
        uploaded: str | None = UPLOADED,
        yanked: str | bool = False,
        members: Mapping[str, bytes] | None = None,
    ) -> Published:
        """A wheel that pip can install; it holds a module named like the project that says its `__version__`."""
        module = re.sub(r"[-.]+", "_", name)
        metadata = _core_metadata(name, version, requires, requires_python, extras)
        info = f"{module}-{version}.dist-info"
        wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n".encode()
        content = {f"{module}/__init__.py": f"__version__ = {version!r}\n".encode(), **(members or {})}
        content |= {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}
        record = "".join(f"{path},sha256={_urlsafe(data)},{len(data)}\n" for path, data in content.items())
        content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        filename = "-".join(filter(None, (module, version, build, tags))) + ".whl"
        return self.add_file(
            name,
            filename,
            zipped(content),
            metadata=metadata,
            requires_python=requires_python,
            uploaded=uploaded,
            yanked=yanked,
        )

    def add_sdist(
        self,
        name: str,
        version: str,
        *,
        files: Mapping[str, str] | None = None,
        requires: Sequence[str] = (),
        requires_python: str | None = None,
        metadata_version: str = "1.2",
        filename: str | None = None,
        uploaded: str | None = UPLOADED,
        yanked: str | bool = False,
    ) -> Published:
        """A source distribution: PKG-INFO and `files` (paths below its top folder)."""
        stem = f"{name}-{version}"
        info = _core_metadata(name, version, requires, requires_python, (), metadata_version=metadata_version)
        content = {f"{stem}/PKG-INFO": info}
        content |= {f"{stem}/{path}": text.encode() for path, text in (files or {}).items()}
        filename = filename or f"{stem}.tar.gz"
        archive = zipped(content) if filename.endswith(".zip") else tarred(content, filename)
        return self.add_file(name, filename, archive, requires_python=requires_python, uploaded=uploaded, yanked=yanked)

    def add_file(
        self,
        name: str,
        filename: str,
        content: bytes,
        *,
        metadata: bytes = b"",
        requires_python: str | None = None,
        uploaded: str | None = UPLOADED,
        yanked: str | bool = False,
    ) -> Published:
        """Any file at all."""
        published = Published(
            project=canonicalize_name(name),
            filename=filename,
            content=content,
            metadata=metadata,
            sha256=hashlib.sha256(content).hexdigest(),
            requires_python=requires_python,
            uploaded=uploaded,
            yanked=yanked,
        )
        self.files[filename] = published
        return published

    def fault(
        self,
        path: str,
        *,
        times: int = 1,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        cut: int | None = None,
        seconds: float = 0.0,
        body: bytes | None = None,
    ) -> None:
        """Requests whose path contains `path` get a status, lose bytes after `cut`, wait, or get another body."""
        self._faults.append(
            Fault(path=path, times=times, status=status, headers=headers or {}, cut=cut, seconds=seconds, body=body)
        )

    def asked(self, path: str) -> list[Seen]:
        """The requests whose path contains `path`."""
        return [seen for seen in self.requests if path in seen.path]

    def pages_asked(self) -> list[Seen]:
        """The requests for pages of projects that are there; what is only expected to be is asked for too."""
        known = {f"/simple/{file.project}/" for file in self.files.values()}
        return [seen for seen in self.requests if seen.path in known]

    def enter(self) -> None:
        """Used by the handler: an answer begins."""
        with self._guard:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def leave(self) -> None:
        """Used by the handler: an answer ends."""
        with self._guard:
            self._at_once -= 1

    def take_fault(self, path: str) -> Fault | None:
        """Used by the handler: the fault that is due, counted down."""
        with self._guard:
            for fault in self._faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def page(self, project: str) -> tuple[str, bytes] | None:
        """JSON and HTML are both made from `files`; ``None`` if the project is unknown."""
        files = [file for file in self.files.values() if file.project == project]
        if not files:
            return None
        if self.json_pages:
            page = {
                "meta": {"api-version": "1.1"},
                "name": project,
                "versions": sorted({file.filename.split("-")[1] for file in files}),
                "files": [self._entry(file) for file in files],
            }
            return JSON, json.dumps(page).encode()
        links = "".join(self._anchor(file) for file in files)
        return "text/html; charset=utf-8", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()

    def _entry(self, file: Published) -> dict[str, object]:
        entry: dict[str, object] = {
            "filename": file.filename,
            "url": f"{self._scheme}://{self.address}/files/{file.filename}",
            "hashes": {"sha256": file.sha256} if self.hashes else {},
            "requires-python": file.requires_python,
            "size": len(file.content),
            "yanked": file.yanked,
        }
        if self.dates and file.uploaded is not None:
            entry["upload-time"] = file.uploaded
        if self.metadata and file.metadata:
            entry["core-metadata"] = {"sha256": hashlib.sha256(file.metadata).hexdigest()}
        return entry

    def _anchor(self, file: Published) -> str:
        attributes = {"href": f"../../files/{file.filename}" + (f"#sha256={file.sha256}" if self.hashes else "")}
        if file.requires_python:
            attributes["data-requires-python"] = file.requires_python
        if file.yanked is not False:
            attributes["data-yanked"] = file.yanked if isinstance(file.yanked, str) else ""
        if self.metadata and file.metadata:
            attributes["data-core-metadata"] = f"sha256={hashlib.sha256(file.metadata).hexdigest()}"
        text = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
        return f"<a {text}>{file.filename}</a><br/>\n"


class _Handler(BaseHTTPRequestHandler):
    fake: FakeIndex
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self.fake.enter()
        try:
            self._serve()
        finally:
            self.fake.leave()

    def _serve(self) -> None:
        fault = self.fake.take_fault(self.path) or Fault(path="", times=0)
        time.sleep(fault.seconds)
        status, headers, body = self._answer()
        if fault.status is not None:
            status, headers, body = fault.status, {"Content-Type": "text/plain"}, b"fault"
        if fault.body is not None:
            body = fault.body
        headers = {**headers, **fault.headers}
        sent = body if fault.cut is None else body[: fault.cut]
        self.fake.requests.append(
            Seen(
                path=self.path,
                headers={key.lower(): value for key, value in self.headers.items()},
                status=status,
                sent=len(sent),
            )
        )
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(sent)
        if len(sent) < len(body):
            self.close_connection = True

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        fake = self.fake
        path = self.path.partition("?")[0]
        if path in fake.redirects:
            return 302, {"Location": fake.redirects[path]}, b""
        if fake.auth is not None:
            expected = base64.b64encode(":".join(fake.auth).encode()).decode()
            if self.headers.get("Authorization") != f"Basic {expected}":
                return 401, {"WWW-Authenticate": 'Basic realm="index"'}, b"who are you?"
        if path.startswith("/simple/"):
            return self._page(path.removeprefix("/simple/").strip("/"))
        filename = path.removeprefix("/files/")
        wants_metadata = filename.endswith(".metadata")
        file = fake.files.get(filename.removesuffix(".metadata"))
        if file is None or (wants_metadata and not (fake.metadata and file.metadata)):
            return 404, {}, b"not found"
        return self._ranged(file.metadata if wants_metadata else file.content)

    def _page(self, project: str) -> tuple[int, dict[str, str], bytes]:
        page = self.fake.page(project)
        if page is None:
            return 404, {}, b"not found"
        headers = {"Content-Type": page[0]}
        if self.fake.cache_control is not None:
            headers["Cache-Control"] = self.fake.cache_control
        if self.fake.etags:
            headers["ETag"] = f'"{hashlib.sha256(page[1]).hexdigest()}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                return 304, headers, b""
        return 200, headers, page[1]

    def _ranged(self, content: bytes) -> tuple[int, dict[str, str], bytes]:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted is None or not self.fake.ranges:
            return 200, {"Content-Type": "application/octet-stream"}, content
        start, stop = int(wanted[1]), min(int(wanted[2]) + 1, len(content))
        return 206, {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}, content[start:stop]


def zipped(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, data in members.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), data, compress_type=method)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes], filename: str = "x.tar.gz") -> bytes:
    """A tar archive, compressed as the filename says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2" if filename.endswith(".bz2") else "w:gz") as archive:
        for path, data in members.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            entry.mtime = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _core_metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    requires_python: str | None,
    extras: Sequence[str],
    *,
    metadata_version: str = "2.1",
) -> bytes:
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n\nA description.\n\nRequires-Dist: not-this\n").encode()
