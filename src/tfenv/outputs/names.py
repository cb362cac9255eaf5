"""Names of the files of a target, such as `pylock.v100.toml`."""

from __future__ import annotations

import re

from tfenv.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def lock_name(target: str | None = None) -> str:
    """The name of the lock file of a target.

    Raises:
        UsageError: the target's name cannot be part of the name of a file (PEP 751 allows no dot in it).
    """
    return file_name("pylock", "toml", target)


def file_name(stem: str, extension: str, target: str | None) -> str:
    """A name with the target's in it, such as `environment.v100.yml`.

    Raises:
        UsageError: as in `lock_name`.
    """
    if target is not None and _NAME.fullmatch(target) is None:
        raise UsageError(f"`{target}` cannot name a target: letters, digits, `-` and `_` only")
    return ".".join(part for part in (stem, target, extension) if part)
