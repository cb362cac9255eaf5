"""`tfenv sync`: a virtual environment made equal to a lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.venv import sync as venvs
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from tfenv.model.lock import Lock
    from tfenv.model.progress import Progress
    from tfenv.store.cache import Cache
    from tfenv.venv.sync import Plan


def sync(
    lock: Lock | Path | str = "pylock.toml",
    venv: Path | str = ".venv",
    *,
    python: Path | str | None = None,
    dry_run: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Make a virtual environment equal to a lock: hashes are checked, other packages are removed.

    Example:
        >>> plan = tfenv.sync("pylock.toml", ".venv", dry_run=True)
        >>> [package.name for package in plan.install if package.direct], plan.remove, plan.keep
        (['tensorflow-cpu'], (), 0)

    Args:
        lock: lock for this host's platform, or its file.
        venv: directory of the environment, which may not exist yet.
        python: interpreter that creates the environment; by default one is searched for.
        dry_run: whether to change nothing.
        offline: whether to use only wheels in the cache.
        cache: cache of wheels; by default the user's.
        progress: reports downloads and packages installed.

    Returns:
        The changes; with `dry_run` those that would be made.

    Raises:
        UsageError: the lock has faults or is for another platform, no interpreter fits, or the directory is
            not an environment.
        IndexUnavailable: a file is not available.
        IntegrityError: a file does not have the hash that the lock names.
        HostError: an installer failed; the message has its output.
    """
    lock, directory, interpreter = read_lock(lock), Path(venv), None if python is None else Path(python)
    if dry_run:
        return venvs.plan(lock, directory, python=interpreter, cache=cache)
    return venvs.sync(lock, directory, python=interpreter, cache=cache, offline=offline, progress=progress)
