"""Wheels unpacked into an environment from outside, so that no installer has to run on its Python, however old."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, BinaryIO

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.exceptions import InstallerError
from installer.records import InvalidRecordEntry
from installer.sources import WheelFile
from installer.utils import get_launcher_kind

from tfenv.errors import HostError, IntegrityError
from tfenv.store import wheel_archive

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from installer.records import RecordEntry
    from installer.utils import Scheme

_ASK = "import json,sysconfig;print(json.dumps(sysconfig.get_paths()))"
_INSTALLER = b"tfenv\n"


def unpack(wheels: Iterable[Path], python: Path) -> None:
    """Install wheels into the environment of an interpreter.

    The `pip` of Python 3.6 and 3.7 supports neither today's platform tags nor `name @ file:` requirements.

    Args:
        wheels: files whose hashes were checked, with tags that fit the interpreter.
        python: interpreter of the environment.

    Raises:
        IntegrityError: a wheel is malformed.
        HostError: the environment cannot be written.
    """
    destination = _destination(python)
    for wheel in wheels:
        wheel_archive.check_contents(wheel)
        try:
            with WheelFile.open(wheel) as source:
                install(source, destination, {"INSTALLER": _INSTALLER})
        except OSError as error:
            raise HostError(f"installing packages failed: `{wheel.name}`: {error}") from error
        except (InstallerError, InvalidRecordEntry, ValueError, AssertionError, KeyError) as error:
            raise IntegrityError(f"`{wheel.name}` cannot be installed: {error}") from error


class _Environment(SchemeDictionaryDestination):
    """The folders of an environment, with the corrections that pip also makes."""

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Write a file; scripts become executable even if the wheel does not mark them."""
        return super().write_file(scheme, path, stream, is_executable or scheme == "scripts")

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD, with `purelib` and `platlib` as one folder, which they are here."""
        here = self.scheme_dict[scheme]
        same = [(scheme if self.scheme_dict[other] == here else other, record) for other, record in records]
        super().finalize_installation(scheme, record_file_path, same)


def _destination(python: Path) -> _Environment:
    try:
        asked = subprocess.run([str(python), "-I", "-c", _ASK], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise HostError(f"`{python}` does not report its package folders: {error}") from error
    paths: dict[str, str] = json.loads(asked.stdout)
    schemes = {name: paths[name] for name in ("purelib", "platlib", "scripts", "data")}
    return _Environment(
        # headers go into the environment, not into the interpreter that created it
        {**schemes, "headers": f"{paths['data']}/include"},
        interpreter=str(python),
        script_kind=get_launcher_kind(),
        # packages of one namespace contain the same files
        overwrite_existing=True,
    )
