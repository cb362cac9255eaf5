"""The target in terms of packaging: wheel tags that it can install, and values of environment markers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.version import Version

from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GLIBC_CEILING = 60
"""Far above any existing glibc, so that wheels for a newer glibc are considered and the reason can be given."""

_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
"""Names in PEP 513, 571 and 599 of tags that PEP 600 writes as manylinux_2_N."""

_MACOS = (26, 0)
"""Newest macOS whose wheels are accepted; targets do not specify a release of macOS."""

_MACHINE = {
    Platform.LINUX_X86_64: "x86_64",
    Platform.LINUX_AARCH64: "aarch64",
    Platform.MACOS_ARM64: "arm64",
    Platform.MACOS_X86_64: "x86_64",
    Platform.WINDOWS_X86_64: "AMD64",
    Platform.WSL: "x86_64",
}


@lru_cache(maxsize=8)
def _platforms(platform: Platform) -> list[str]:
    """Platform tags, most specific first (PEP 425, PEP 600)."""
    machine = _MACHINE[platform]
    if platform is Platform.WINDOWS_X86_64:
        return ["win_amd64"]
    if not platform.is_linux:
        return list(mac_platforms(_MACOS, machine))
    lowest = 5 if machine == "x86_64" else 17
    tags = []
    for minor in range(_GLIBC_CEILING, lowest - 1, -1):
        tags.append(f"manylinux_2_{minor}_{machine}")
        if minor in _LEGACY:
            tags.append(f"{_LEGACY[minor]}_{machine}")
    return [*tags, f"linux_{machine}"]


@lru_cache(maxsize=64)
def ranks(platform: Platform, python: Version) -> Mapping[Tag, int]:
    """Tags of every wheel that CPython ``X.Y`` on the platform can install; a lower rank is a better fit (PEP 425).

    Tags for a newer glibc are included; `glibc` returns what such a wheel needs.
    """
    minor = (python.major, python.minor)
    interpreter = f"cp{python.major}{python.minor}"
    # `m` (pymalloc) was part of the ABI tag until 3.7, see the notes on ABI flags in "What's New In Python 3.8"
    abis = [f"{interpreter}m"] if minor < (3, 8) else [interpreter]
    if minor < (3, 3):  # and `u` for builds with four-byte characters
        abis = [f"{interpreter}mu", *abis]
    platforms = _platforms(platform)
    tags = [*cpython_tags(minor, abis, platforms), *compatible_tags(minor, interpreter, platforms)]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def serves(platform: Platform, platform_tag: str) -> bool:
    """Whether wheels with this platform tag can be installed there, with any Python."""
    return platform_tag == "any" or platform_tag in _platforms(platform)


PIP_SOURCE = "https://github.com/pypa/manylinux#manylinux"
_PIP = {"manylinux1": "8.1.0", "manylinux2010": "19.0", "manylinux2014": "19.3", "manylinux": "20.3"}
"""The first pip that knows a family of tags (`PIP_SOURCE`, table "manylinux version, client-side version required")."""


def pip_for(tag: Tag) -> Version | None:
    """The first pip that installs a wheel of this tag; ``None`` if any does."""
    floor = _PIP.get(tag.platform.split("_", 1)[0])
    return None if floor is None else Version(floor)


_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_")
_NUMBER = {name: minor for minor, name in _LEGACY.items()}


@lru_cache(maxsize=4096)
def _glibc_of(platform_tag: str) -> tuple[int, int] | None:
    if match := _MANYLINUX.match(platform_tag):
        return int(match[1]), int(match[2])
    legacy = _NUMBER.get(platform_tag.split("_", 1)[0])
    return None if legacy is None else (2, legacy)


def glibc(tags: Iterable[Tag]) -> Version | None:
    """The lowest glibc that one of these tags requires (PEP 600); ``None`` if a tag requires none."""
    needed = [_glibc_of(tag.platform) for tag in tags]
    numbers = [number for number in needed if number is not None]
    if len(numbers) < len(needed) or not numbers:
        return None
    major, minor = min(numbers)
    return Version(f"{major}.{minor}")


def markers(platform: Platform, python: Version) -> dict[str, str]:
    """Values of environment markers (PEP 508) for a full Python version; of the target, never of the host.

    `platform_release` and `platform_version` depend on the running kernel and are empty.
    """
    windows, linux = platform is Platform.WINDOWS_X86_64, platform.is_linux
    return {
        "implementation_name": "cpython",
        "implementation_version": str(python),
        "os_name": "nt" if windows else "posix",
        "platform_machine": _MACHINE[platform],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Windows" if windows else "Linux" if linux else "Darwin",
        "platform_version": "",
        "python_full_version": str(python),
        "python_version": f"{python.major}.{python.minor}",
        "sys_platform": "win32" if windows else "linux" if linux else "darwin",
    }
