"""Files that uv links from its cache into environments, and whether they are still what the wheel contained.

uv unpacks a wheel once and links its files into every environment created later. An edit in one environment therefore
changes all of them, also those created later. After installation, size, time and inode of each file are compared with
their values when its hash was last right, and a file that differs is hashed again.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tfenv.model.package import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tfenv.store.cache import Cache
    from tfenv.model.lock import LockedPackage

_BLOCK = 2**20


def spoilt(packages: Sequence[LockedPackage], site: Path, cache: Cache) -> tuple[LockedPackage, ...]:
    """The packages with files that do not match their RECORD.

    Args:
        packages: packages that were just installed from wheels.
        site: `site-packages` of the environment.
        cache: cache that keeps size, time and inode of each file.
    """
    records = {normalize(path.name.split("-", 1)[0]): path / "RECORD" for path in site.glob("*.dist-info")}
    with ThreadPoolExecutor() as pool:
        sound = pool.map(lambda package: _sound(package, records.get(package.name), site, cache), packages)
        return tuple(package for package, good in zip(packages, sound, strict=True) if not good)


def _sound(package: LockedPackage, record: Path | None, site: Path, cache: Cache) -> bool:
    if record is None:
        return False
    key = f"unpacked {package.file.sha256}"
    known = cache.document(key) or {}
    try:
        hashes = _hashes(record)
        seen = {path: _state(site / path) for path in hashes}
        if seen == known:
            return True
        if any(_digest(site / path) != hashes[path] for path in seen if seen[path] != known.get(path)):
            return False
    except (OSError, ValueError, UnicodeDecodeError):
        return False
    cache.keep_document(key, seen)
    return True


def _hashes(record: Path) -> dict[str, str]:
    """The SHA-256 of each file of the wheel, by path, as recorded in RECORD."""
    with record.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.reader(stream) if len(row) > 1 and row[1].startswith("sha256=")]
    own = f"{record.parent.name}/"
    return {row[0]: row[1].removeprefix("sha256=") for row in rows if not row[0].startswith((own, "../", "/"))}


def _state(path: Path) -> list[int]:
    seen = path.stat()
    return [seen.st_size, seen.st_mtime_ns, seen.st_ino]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
