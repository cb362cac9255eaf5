"""An unchanged request is answered from the cache.

A lock is a function of the goal, the versions to keep, the facts, this program, and the pages of the indexes that were
read (metadata never changes). All of these are compared; if one differs, or a page may have changed since, the lock is
solved again, and the pages of the last time are requested all at once.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import tfenv
from tfenv.errors import TfenvError
from tfenv.model.package import Name
from tfenv.outputs.request import request_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.version import Version

    from tfenv.facts.database import Database
    from tfenv.model.goal import Goal
    from tfenv.model.lock import Lock
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache
    from tfenv.workflow.lock.base_digest import BaseDigest


def remembered(
    goal: Goal,
    make: Callable[[Lock], dict[str, Any]],
    *,
    label: str,
    database: Database,
    cache: Cache,
    indexes: tuple[str, ...],
    offline: bool,
    preferred: Mapping[Name, Version],
    base_digest: BaseDigest,
    progress: Progress,
) -> dict[str, Any]:
    """What is made from the lock of a goal: from the cache while nothing it depends on has changed, else anew.

    Args:
        goal: what the lock has to meet.
        make: turns a lock into values of JSON; a function of the lock and of `label` alone.
        label: names what `make` makes.
        database: the facts.
        cache: holds the pages of the indexes and what was made before.
        indexes: URLs of the goal with their credentials.
        offline: use only what is cached.
        preferred: versions to keep where they still fit.
        base_digest: of the base image.
        progress: reports work under way.

    Raises:
        TfenvError: as `tfenv.workflow.lock.solve.solve`.
    """
    key = _key(goal, label, database, preferred)
    before = cache.document(key)
    if before is not None and _stands(before, cache, base_digest, offline=offline):
        made: dict[str, Any] = before["made"]
        return made
    # the search and the network: 138 modules that an answer from the cache does not need
    from tfenv.workflow.lock.solve import solve

    consulted: dict[str, str] = {}
    answer = solve(
        goal,
        database=database,
        cache=cache,
        indexes=indexes,
        offline=offline,
        preferred=preferred,
        base_digest=base_digest,
        progress=progress,
        expected=_names(before or {}),
        consulted=consulted,
    )
    image = answer.base_image
    base = None if image is None else [image.reference, image.digest]
    made = make(answer)
    cache.keep_document(key, {"pages": consulted, "base": base, "made": made})
    return made


def _stands(before: dict[str, Any], cache: Cache, base_digest: BaseDigest, *, offline: bool) -> bool:
    """Whether the search would give the same answer again."""
    for url, digest in before["pages"].items():
        state = cache.state(url)
        if state is None or state[0] != digest or not (offline or state[1]):
            return False
    if before["base"] is None:
        return True
    reference, digest = before["base"]
    try:
        return bool(base_digest.of(reference) == digest)
    except TfenvError:
        return digest is None


def _names(before: dict[str, Any]) -> Iterator[Name]:
    """The projects whose pages were read."""
    for url in before.get("pages", ()):
        yield Name(unquote(url.rstrip("/").rsplit("/", 1)[1]))


def _key(goal: Goal, label: str, database: Database, preferred: Mapping[Name, Version]) -> str:
    asked = {
        "request": request_table(goal),
        "label": label,
        "preferred": sorted((name, str(version)) for name, version in preferred.items()),
        "program": program(),
        "facts": _files(str(database.root)),
    }
    canonical = json.dumps(asked, sort_keys=True, default=str)
    return f"locked {hashlib.sha256(canonical.encode()).hexdigest()}"


def program() -> list[str]:
    """A value that differs between versions, and after any change of the code."""
    return [tfenv.__version__, _files(os.path.dirname(tfenv.__file__))]  # noqa: PTH120 - pathlib is slow here


def _files(folder: str) -> str:
    """A digest of names, sizes and times of all files below a folder."""
    found: list[tuple[str, int, int]] = []
    rest = [folder]
    while rest:
        with os.scandir(rest.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        rest.append(entry.path)
                else:
                    status = entry.stat()
                    found.append((entry.path, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()
