"""Wheels are unpacked into an environment from outside: no installer need run in it, however old its Python is."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, BinaryIO

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.exceptions import InstallerError
from installer.sources import WheelFile
from installer.utils import get_launcher_kind

from tfenv.errors import HostError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from installer.records import RecordEntry
    from installer.utils import Scheme

_ASK = "import json,sysconfig;print(json.dumps(sysconfig.get_paths()))"
_INSTALLER = b"tfenv\n"


def unpack(wheels: Iterable[Path], python: Path) -> None:
    """Put wheels where an interpreter looks for them, and their scripts beside it.

    The `pip` that comes with Python 3.6 and 3.7 knows neither today's platform tags nor `name @ file:` requirements.

    Args:
        wheels: files whose hashes were checked, with tags that fit the interpreter.
        python: of the environment.

    Raises:
        HostError: a file is no whole wheel, or the environment cannot be written.
    """
    destination = _destination(python)
    for wheel in wheels:
        try:
            with WheelFile.open(wheel) as source:
                install(source, destination, {"INSTALLER": _INSTALLER})
        except (InstallerError, OSError, ValueError, AssertionError) as error:
            raise HostError(f"installing packages failed: `{wheel.name}`: {error}") from error


class _Environment(SchemeDictionaryDestination):
    """Does the rest of what pip does."""

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Scripts can be run, also those of a wheel that forgot to say so."""
        return super().write_file(scheme, path, stream, is_executable or scheme == "scripts")

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """`purelib` and `platlib` are one folder here: RECORD need not point from one to the other."""
        here = self.scheme_dict[scheme]
        same = [(scheme if self.scheme_dict[other] == here else other, record) for other, record in records]
        super().finalize_installation(scheme, record_file_path, same)


def _destination(python: Path) -> _Environment:
    try:
        asked = subprocess.run([str(python), "-I", "-c", _ASK], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise HostError(f"asking `{python}` where its packages lie failed: {error}") from error
    paths: dict[str, str] = json.loads(asked.stdout)
    schemes = {name: paths[name] for name in ("purelib", "platlib", "scripts", "data")}
    return _Environment(
        # headers go into the environment, and not to those of the interpreter that made it
        {**schemes, "headers": f"{paths['data']}/include"},
        interpreter=str(python),
        script_kind=get_launcher_kind(),
        # packages of one namespace bring the same files
        overwrite_existing=True,
    )
