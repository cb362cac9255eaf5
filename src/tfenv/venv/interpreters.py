"""Interpreters of this host that can create the environment of a lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 20
_OLDEST_OF_UV = (3, 8)
"""`uv python list --all-versions --only-downloads 3.7` lists none."""
_ASK = (
    "import sys,platform,sysconfig;"
    "print(platform.python_implementation(),platform.python_version(),sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
)


def find(
    wanted: Version,
    given: Path | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    windows: bool = os.name == "nt",
) -> Path:
    """An interpreter of this Python, from `PATH`, pyenv, uv, or the `py` launcher.

    Args:
        wanted: version of Python, `X.Y`.
        given: interpreter to use, if it has this version.
        environment: environment variables; by default those of the process.
        windows: whether folders have the layout of Windows; by default as on this host.

    Raises:
        UsageError: no interpreter was found; the hint names ways to get one.
    """
    if given is not None:
        found = version_of(given)
        if found is None:
            raise UsageError(f"`{given}` is not a CPython interpreter")
        if not _matches(found, wanted):
            raise UsageError(
                f"`{given}` is Python {found}, the lock is for {wanted}",
                hint=f"use another interpreter, or lock again with `--python {found.major}.{found.minor}`",
            )
        return given
    for path in _candidates(wanted, os.environ if environment is None else environment, windows=windows):
        found = version_of(path)
        if found is not None and _matches(found, wanted):
            return path
    minor = f"{wanted.major}.{wanted.minor}"
    with_uv = f"`uv python install {minor}` or " if wanted.release[:2] >= _OLDEST_OF_UV else ""
    raise UsageError(
        f"no Python {minor} was found on this machine",
        hint=f"install it with {with_uv}`pyenv install {minor}`, or use `--python PATH`; "
        "conda (`environment.yml`) and `tfenv build` have their own",
    )


def version_of(python: Path) -> Version | None:
    """The version that an interpreter reports; ``None`` if it cannot be run or is not a CPython with a GIL."""
    try:
        ran = subprocess.run(
            [str(python), "-I", "-S", "-c", _ASK],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = ran.stdout.split()
    if ran.returncode != 0 or len(words) != 3 or words[0] != "CPython" or words[2] != "0":
        return None
    try:
        return Version(words[1])
    except InvalidVersion:  # a build whose version is 3.13.0+
        return Version(words[1].rstrip("+")) if words[1].endswith("+") else None


def _matches(found: Version, wanted: Version) -> bool:
    return found.release[:2] == wanted.release[:2]


def _candidates(wanted: Version, environment: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Paths that may be such an interpreter, cheapest to find first; the caller runs each to check."""
    minor = f"{wanted.major}.{wanted.minor}"
    yield Path(sys.executable)
    places = [Path(place) for place in environment.get("PATH", "").split(os.pathsep) if place]
    for name in (f"python{minor}", "python3", "python"):
        for place in places:
            path = place / (f"{name}.exe" if windows else name)
            if path.is_file():
                yield path
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or ".")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    for root, pattern in (
        (Path(environment.get("PYENV_ROOT") or home / ".pyenv") / "versions", f"{minor}.*"),
        (Path(environment.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python"), f"cpython-{minor}.*"),
    ):
        for folder in sorted(root.glob(pattern), reverse=True):
            yield folder / "python.exe" if windows else folder / "bin" / f"python{minor}"
    if windows:
        yield from _launcher(minor)


def _launcher(minor: str) -> Iterator[Path]:
    try:
        ran = subprocess.run(
            ["py", f"-{minor}", "-c", "import sys;print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if ran.returncode == 0:
        yield Path(ran.stdout.strip())
