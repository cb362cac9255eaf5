"""The probe, run with an interpreter of this host, and the digests of wheels that its answer is compared with."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import SmokeFailed, UsageError
from tfenv.smoke import exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfenv.model.lock import Lock
    from tfenv.store.cache import Cache

_PATH = "import sys;sys.path+=sys.argv[2:];del sys.argv[2:];"
WHOLE_CLIMB = 3600
"""seconds for all levels; each step has its own limit, this one is for a machine that hangs"""


def interpreter(directory: Path) -> Path:
    """The Python of a virtual environment.

    Raises:
        UsageError: the directory has none.
    """
    for name in ("bin/python", "Scripts/python.exe"):
        path = directory / name
        if path.exists():
            # not resolved: Python finds the environment by the path of the link
            return Path(os.path.abspath(path))  # noqa: PTH100
    raise UsageError(f"`{directory}` is not a virtual environment", hint=f"run `tfenv sync --venv {directory}`")


def probe(python: Path, options: str, *, folders: Sequence[Path] = ()) -> tuple[str, str]:
    """Run the probe with an interpreter of this host; returns its standard output and standard error.

    Args:
        python: the interpreter.
        options: options of the probe, as JSON.
        folders: folders of distributions to look at. If there are any, the interpreter starts without `site`, so that
            no `.pth` file of an environment runs before it is known to be what was locked.

    Raises:
        UsageError: the interpreter cannot be run.
        SmokeFailed: the probe did not end in time.
    """
    named = [str(folder) for folder in folders]
    try:
        ran = subprocess.run(
            [str(python), "-I", *(["-S"] if folders else []), "-c", _PATH + exchange.BOOTSTRAP, options, *named],
            input=exchange.source(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=WHOLE_CLIMB,
        )
    except OSError as error:
        raise UsageError(f"`{python}` cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise SmokeFailed(f"`{python}` gave no answer within {WHOLE_CLIMB} s") from error
    return ran.stdout, ran.stderr


def wheel_contents(lock: Lock, cache: Cache | None) -> dict[str, str]:
    """The digest of RECORD for each locked wheel in the cache, by name of the package."""
    if cache is None:
        from tfenv.store.cache import Cache

        cache = Cache()
    found = {
        package.name: contents(cache.file(package.file.sha256 or "", package.file.filename))
        for package in lock.packages
        if package.file.is_wheel
    }
    return {name: digest for name, digest in found.items() if digest is not None}


def contents(wheel: Path) -> str | None:
    """The digest of a wheel's RECORD, as the probe computes it for the installed one; ``None`` if it is unreadable."""
    from tfenv.smoke.probe import contents_digest

    try:
        with zipfile.ZipFile(wheel) as archive:
            record = next(
                name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".dist-info/RECORD")
            )
            text = archive.read(record).decode("utf-8")
    except (OSError, StopIteration, UnicodeDecodeError, zipfile.BadZipFile):
        return None
    rows = [([*row, "", ""])[:3] for row in csv.reader(io.StringIO(text)) if row]
    return str(contents_digest(rows, record.partition("/")[0]))  # type: ignore[no-untyped-call]
