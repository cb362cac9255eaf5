"""The folders of the user in which tfenv keeps things, by the rules of the operating system."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`TFENV_CACHE_DIR`, else the cache folder of the system: what is in it can be fetched or computed again."""
    if named := os.environ.get("TFENV_CACHE_DIR"):
        return _absolute(named)
    from platformdirs import user_cache_path

    return user_cache_path("tfenv", appauthor=False)


def data_folder() -> Path:
    """`TFENV_DATA_DIR`, else the data folder of the system: what the user asked tfenv to keep."""
    if named := os.environ.get("TFENV_DATA_DIR"):
        return _absolute(named)
    from platformdirs import user_data_path

    return user_data_path("tfenv", appauthor=False)


def _absolute(named: str) -> Path:
    return Path(named).expanduser().absolute()
