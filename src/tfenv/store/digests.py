"""Digests of the facts, cached by a hash of the files' bytes, because computing a digest parses every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.facts.digest import digest, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfenv.facts.digest import Columns
    from tfenv.store.cache import Cache


def kept_digest(root: Path, tables: Mapping[str, Columns], cache: Cache) -> str:
    """The result of `tfenv.facts.digest.digest`, computed once for the same bytes."""
    key = f"facts {stamp(root, tables)}"
    known = cache.document(key)
    if known is None:
        known = {"digest": digest(root, tables)}
        cache.keep_document(key, known)
    return str(known["digest"])
