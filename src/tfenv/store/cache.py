"""The cache of fetched data on disk, shared by any number of processes.

Every entry is written to a temporary file and renamed, and contains its own digest. A reader therefore sees all of an
entry or none, and a damaged entry counts as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfenv.machine.folders import cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filelock import BaseFileLock

PAGE_LIFETIME = 600
"""Seconds for which a page is fresh if the server does not specify it (PyPI specifies 600)."""

_LAYOUT = "v1"

CACHE_HINT = "set TFENV_CACHE_DIR to a folder that can be written and has room"
"""What to do if a file does not fit into the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A response of an index.

    Attributes:
        url: URL of the response, after redirects, without credentials.
        status: HTTP status, 200 or 404.
        content_type: content type from the server.
        etag: ETag for a conditional request; empty if none.
        last_modified: date for a conditional request; empty if none.
        until: end of freshness, in seconds since the epoch.
        body: body as stored.
        digest: digest of the body, equal for equal contents of the index; empty for "not found".
    """

    url: str
    status: int
    content_type: str
    etag: str
    last_modified: str
    until: float
    body: bytes
    digest: str = ""

    @property
    def fresh(self) -> bool:
        """Whether the response may be used without a request."""
        return time.time() < self.until


class Cache:
    """A directory of pages, metadata and files.

    Args:
        directory: folder; ``None`` for `TFENV_CACHE_DIR` or the user's cache folder of the system.
    """

    def __init__(self, directory: Path | None = None) -> None:
        if directory is None:
            directory = cache_folder()
        self.directory = directory.expanduser().absolute()
        self._root = self.directory / _LAYOUT

    def page(self, url: str) -> StoredPage | None:
        """The stored response for a URL, fresh or not."""
        stored = self._read(self._place("pages", url))
        if stored is None:
            return None
        head, body = stored
        try:
            return StoredPage(body=body, **head)
        except TypeError:
            return None

    def state(self, url: str) -> tuple[str, bool] | None:
        """Digest of the stored response for a URL, and whether it is fresh; the body is not read."""
        try:
            with self._place("pages", url).open("rb") as entry:
                entry.readline()
                head = json.loads(entry.readline())
            return head["digest"], time.time() < head["until"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_page(self, key: str, page: StoredPage) -> None:
        """Store a response under the requested URL."""
        head = {name: getattr(page, name) for name in StoredPage.__dataclass_fields__ if name != "body"}
        self._write(self._place("pages", key), head, page.body)

    def document(self, key: str) -> dict[str, Any] | None:
        """A stored value that never changes, such as the metadata of a file of known hash."""
        stored = self._read(self._place("documents", key))
        return None if stored is None else stored[0]

    def keep_document(self, key: str, value: Mapping[str, Any]) -> None:
        """Store a value that never changes; it must be made of JSON types."""
        self._write(self._place("documents", key), value, b"")

    def file(self, sha256: str, filename: str) -> Path:
        """The path for a distribution with this hash, stored or not."""
        return self._root / "files" / sha256[:2] / sha256 / filename

    def shared(self, name: str) -> Path:
        """A folder for the cache of another program, which manages it itself."""
        return self._root / name

    def lock(self, path: Path) -> BaseFileLock:
        """A lock for the process that fetches `path`."""
        from filelock import FileLock

        locks = self._root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(str(path).encode()).hexdigest()
        return FileLock(locks / f"{name}.lock", thread_local=False)

    def _place(self, kind: str, key: str) -> Path:
        digest = hashlib.sha256(key.encode()).hexdigest()
        return Path(f"{self._root}/{kind}/{digest}")

    def _read(self, path: Path) -> tuple[dict[str, Any], bytes] | None:
        try:
            digest, _, rest = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if _digest(rest) != digest:
            return None
        head, _, body = rest.partition(b"\n")
        value = json.loads(head)
        return (value, body) if isinstance(value, dict) else None

    def _write(self, path: Path, head: Mapping[str, Any], body: bytes) -> None:
        """Write an entry; errors are ignored, because a cache on a full or read-only disk only costs time."""
        rest = json.dumps(head).encode() + b"\n" + body
        temporary = f"{path}.part-{os.getpid()}-{threading.get_ident()}"
        try:
            try:
                out = open(temporary, "xb")  # noqa: SIM115, PTH123 - `Path` costs more than the writing
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                out = open(temporary, "xb")  # noqa: SIM115, PTH123
        except OSError:
            return
        try:
            with out:
                out.write(b"%b\n%b" % (_digest(rest), rest))
            os.replace(temporary, path)  # noqa: PTH105
        except OSError:
            Path(temporary).unlink(missing_ok=True)


def _digest(rest: bytes) -> bytes:
    """A digest that detects bad disks and partly written files; it does not protect against manipulation."""
    return b"%08x" % zlib.crc32(rest)


def fresh_until(headers: Mapping[str, str], *, now: float) -> float:
    """End of freshness of a response (RFC 9111, 4.2.1), in seconds since the epoch.

    Without a lifetime from the server, the default is used.
    """
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(?:store|cache)\b", control):
        return now
    match = re.search(r"\bmax-age\s*=\s*\"?(\d+)", control)
    if match is None:
        return now + PAGE_LIFETIME
    age = headers.get("age", "")
    return now + int(match[1]) - (int(age) if age.isdigit() else 0)
