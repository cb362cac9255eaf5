"""Wheels that uv unpacked once are linked into every environment made later. Is what it links still what was unpacked?

Linked files are one file: whoever edits it in one environment has edited it in all, also in those yet to be made. So
what was installed is compared with how it looked when its hashes were right, and hashed where anything differs.
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
    """Those with files that are not what their RECORD says.

    Args:
        packages: that were installed just now, from wheels.
        site: `site-packages` of the environment.
        cache: where it is noted how files looked.
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
        told = _told(record)
        seen = {path: _state(site / path) for path in told}
        if seen == known:
            return True
        if any(_digest(site / path) != told[path] for path in seen if seen[path] != known.get(path)):
            return False
    except (OSError, ValueError, UnicodeDecodeError):
        return False
    cache.keep_document(key, seen)
    return True


def _told(record: Path) -> dict[str, str]:
    """What RECORD says of the files that came out of the wheel: SHA-256 by path."""
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
