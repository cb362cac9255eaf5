"""What the cache holds, and the removal of what nothing needs."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.store.cache import CACHE_HINT
from tfenv.store.files import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfenv.store.cache import Cache

UNUSED_DAYS = 30
"""days without use after which an entry is removed"""

_DAY = 86400
_PARTS = (".part-", ".tmp")
_PART_AGE = 3600
"""seconds after which a temporary file is no longer being written"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Entries of one kind.

    Attributes:
        kind: name of their folder, such as `pages`, `documents`, `files` or `uv`.
        files: number of files.
        size: their bytes.
    """

    kind: str
    files: int
    size: int


def usage(cache: Cache) -> tuple[Usage, ...]:
    """What the cache holds, by kind."""
    found = []
    for folder in _folders(cache.root):
        sizes = [size for _, size, _ in _files(folder)]
        found.append(Usage(kind=folder.name, files=len(sizes), size=sum(sizes)))
    return tuple(found)


def prune(cache: Cache, *, days: float = UNUSED_DAYS, everything: bool = False) -> tuple[Usage, ...]:
    """Remove entries that were not used for some days, and what interrupted runs left.

    Commands that use files of the cache at this moment are waited for, and no other starts meanwhile.

    Args:
        cache: the cache.
        days: days without use after which an entry is removed.
        everything: whether to remove all entries.

    Returns:
        What was removed, by kind.

    Raises:
        HostError: an entry cannot be removed.
    """
    if not cache.root.is_dir():
        return ()
    found = []
    with cache.in_use(alone=True):
        now = time.time()
        for folder in _folders(cache.root):
            count, size = 0, 0
            for path, length, used in list(_files(folder)):
                is_part = any(sign in path.name for sign in _PARTS) and now - used > _PART_AGE
                # the entries of uv refer to each other, so that it removes them itself
                if everything or is_part or (now - used > days * _DAY and folder.name != "uv"):
                    with writing(path, hint=CACHE_HINT):
                        path.unlink(missing_ok=True)
                    count, size = count + 1, size + length
            _remove_empty(folder)
            if count:
                found.append(Usage(kind=folder.name, files=count, size=size))
    return tuple(found)


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _files(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """Each file below a folder with its bytes and the time of its last use; links are not followed."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = folder / place / name
            try:
                seen = path.lstat()
            except OSError:  # removed meanwhile
                continue
            yield path, seen.st_size, max(seen.st_mtime, seen.st_atime)


def _remove_empty(folder: Path) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        if place != str(folder) and not os.listdir(place):  # noqa: PTH208
            shutil.rmtree(place, ignore_errors=True)
