"""`tfenv cache`: what the cache holds, and the removal of what nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.store import pruning
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.store.pruning import Usage


def info(cache: Cache | None = None) -> tuple[Path, tuple[Usage, ...]]:
    """The folder of the cache, by default the user's, and what it holds by kind."""
    cache = cache or Cache()
    return cache.directory, pruning.usage(cache)


def prune(
    *, older_than: float = pruning.UNUSED_DAYS, everything: bool = False, cache: Cache | None = None
) -> tuple[Usage, ...]:
    """Remove entries of the cache, by default the user's, that were not used for some days; returns what was removed.

    Args:
        older_than: days without use after which an entry is removed.
        everything: whether to remove all entries.
        cache: the cache.

    Raises:
        HostError: an entry cannot be removed.
    """
    return pruning.prune(cache or Cache(), days=older_than, everything=everything)
