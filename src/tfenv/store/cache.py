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
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfenv.errors import HostError
from tfenv.machine.folders import cache_folder
from tfenv.store import files, foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filelock import BaseFileLock

PAGE_LIFETIME = 600
"""Seconds for which a page is fresh if the server does not specify it (PyPI specifies 600)."""

_LONGEST_LIFETIME = 86400
"""Seconds for which a page is fresh at most, whatever the server specifies: a day"""
_DIGITS = 9
"""Digits of an age that are read; more are as good as for ever"""

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
        return _is_fresh(self.until)

    @property
    def is_sound(self) -> bool:
        """Whether every field has its type, which a stored page of another program may lack."""
        numbers = type(self.status) is int and type(self.until) in (int, float)
        texts = (self.url, self.content_type, self.etag, self.last_modified, self.digest)
        return numbers and all(type(text) is str for text in texts)


class Cache:
    """A directory of pages, metadata and files.

    Args:
        directory: folder; ``None`` for `TFENV_CACHE_DIR` or the user's cache folder of the system.
        stale: whether no stored page counts as fresh, so that each is asked for again once.

    Raises:
        HostError: other users may write to the folder, so that nothing in it can be trusted.
    """

    def __init__(self, directory: Path | None = None, *, stale: bool = False) -> None:
        if directory is None:
            directory = cache_folder()
        self.directory = directory.expanduser().absolute()
        self._root = self.directory / _LAYOUT
        self._stale = stale
        _refuse_shared(self.directory)

    @property
    def root(self) -> Path:
        """The folder of all entries; it may not exist."""
        return self._root

    def prepare(self) -> None:
        """Create the folder if it is missing, for its owner alone.

        Raises:
            OSError: it cannot be created.
        """
        if not self.directory.exists():
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def in_use(self, *, alone: bool = False) -> Iterator[None]:
        """Files of the cache stay where they are during the block.

        Args:
            alone: wait until no other process has files in use, and let none start.

        Raises:
            HostError: the cache cannot be created.
        """
        with files.writing(self.directory, hint=CACHE_HINT):
            self.prepare()
            self._root.mkdir(exist_ok=True)
        with files.exclusive(self._root, shared=not alone):
            yield

    def page(self, url: str) -> StoredPage | None:
        """The stored response for a URL, fresh or not."""
        stored = self._read(self._place("pages", url))
        if stored is None:
            return None
        head, body = stored
        try:
            page = StoredPage(body=body, **head)
        except TypeError:
            return None
        if not page.is_sound:
            return None
        return replace(page, until=0.0) if self._stale else page

    def state(self, url: str) -> tuple[str, bool] | None:
        """Digest of the stored response for a URL, and whether it is fresh; the body is not read."""
        try:
            with self._place("pages", url).open("rb") as entry:
                entry.readline()
                head = json.loads(entry.readline())
            return str(head["digest"]), not self._stale and _is_fresh(head["until"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
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
        """The path for a distribution with this hash, stored or not.

        Args:
            sha256: 64 hexadecimal digits.
            filename: name of the distribution.

        Raises:
            IntegrityError: the hash or the name is not one that can be a path.
        """
        digits = foreign.sha256(f"sha256:{sha256}")
        return self._root / "files" / digits[:2] / digits / foreign.component(filename)

    def shared(self, name: str) -> Path:
        """A folder for the cache of another program, which manages it itself."""
        return self._root / foreign.component(name)

    def lock(self, path: Path) -> BaseFileLock:
        """A lock for the process that fetches `path`."""
        from filelock import FileLock

        self.prepare()
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
        try:
            value = json.loads(head)
        except (ValueError, RecursionError):
            return None
        return (value, body) if isinstance(value, dict) else None

    def _write(self, path: Path, head: Mapping[str, Any], body: bytes) -> None:
        """Write an entry; errors are ignored, because a cache on a full or read-only disk only costs time."""
        rest = json.dumps(head).encode() + b"\n" + body
        temporary = f"{path}.part-{os.getpid()}-{threading.get_ident()}"
        try:
            try:
                out = open(temporary, "xb")  # noqa: SIM115, PTH123 - `Path` costs more than the writing
            except FileNotFoundError:
                self.prepare()
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
    """The SHA-256 of an entry, which detects bad disks and partly written files.

    Whoever may write to the cache can also write digests; `_refuse_shared` keeps others from it.
    """
    return hashlib.sha256(rest).hexdigest().encode()


def _refuse_shared(directory: Path) -> None:
    """Raise an error if others than the user and the administrator may write to a folder (POSIX only)."""
    if os.name == "nt":
        return
    try:
        seen = directory.stat()
    except OSError:
        return
    if seen.st_uid not in (0, os.geteuid()):
        reason = f"belongs to another user (number {seen.st_uid})"
    elif seen.st_mode & 0o022:
        reason = f"can be written by other users (mode {seen.st_mode & 0o7777:o})"
    else:
        return
    raise HostError(
        f"the cache `{directory}` {reason}, so its contents cannot be trusted",
        hint=f"rm -rf {directory}, or set TFENV_CACHE_DIR to a folder of your own",
    )


def fresh_until(headers: Mapping[str, str], *, now: float) -> float:
    """End of freshness of a response (RFC 9111, 4.2.1), in seconds since the epoch, at most a day from now.

    Without a lifetime from the server, the default is used.
    """
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(?:store|cache)\b", control):
        return now
    match = re.search(r"\bmax-age\s*=\s*\"?([0-9]+)", control)
    if match is None:
        return now + PAGE_LIFETIME
    age = re.fullmatch(r"[0-9]+", headers.get("age", ""))
    left = _seconds(match[1]) - (_seconds(age[0]) if age is not None else 0)
    return now + min(left, _LONGEST_LIFETIME)


def _seconds(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


def _is_fresh(until: float) -> bool:
    """Whether a time lies ahead, but no further than a lifetime: a clock that was wrong then does not keep a page."""
    return 0 < until - time.time() <= _LONGEST_LIFETIME
