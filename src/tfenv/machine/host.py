"""Access to the operating system: files, commands, environment. Tests use a recorded host instead."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMAND_SECONDS = 20
"""time limit of a command"""


class Host(Protocol):
    """What detection needs of a machine."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables."""
        ...

    @property
    def kernel(self) -> tuple[str, str]:
        """Operating system and processor, as `platform.system()` and `platform.machine()` spell them."""
        ...

    def read(self, path: str) -> str | None:
        """The text of a file; ``None`` if it does not exist or is not readable."""
        ...

    def list(self, directory: str) -> tuple[str, ...]:
        """The names in a directory, sorted; empty if it does not exist."""
        ...

    def run(self, *command: str) -> str | None:
        """The standard output of a command; ``None`` if it does not exist, fails or takes too long."""
        ...


class ThisHost:
    """The machine that tfenv runs on."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables of this process."""
        return os.environ

    @property
    def kernel(self) -> tuple[str, str]:
        """Operating system and processor of this machine."""
        return platform.system(), platform.machine()

    def read(self, path: str) -> str | None:
        """The text of a file; bytes that are not UTF-8 are replaced (device trees end in NUL)."""
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace").rstrip("\0")
        except OSError:
            return None

    def list(self, directory: str) -> tuple[str, ...]:
        """Names in a directory."""
        try:
            return tuple(sorted(entry.name for entry in Path(directory).iterdir()))
        except OSError:
            return ()

    def run(self, *command: str) -> str | None:
        """Run a command with the C locale, so that its output can be parsed."""
        return _output(command)


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
