"""The contents of an environment: its Python, its packages, and the CUDA libraries of wheels."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tfenv.machine.surroundings import CUDA_LIBRARY
from tfenv.model.inventory import Installed, LibraryOnPath

if TYPE_CHECKING:
    from tfenv.machine.host import Host

_DIST = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


def environment_of(host: Host) -> str | None:
    """The active environment, by the variables that activation sets; ``None`` if there is none."""
    return host.environment.get("VIRTUAL_ENV") or host.environment.get("CONDA_PREFIX") or None


def installed(host: Host, directory: str) -> Installed | None:
    """The contents of the environment in a directory; ``None`` if there is none."""
    root = directory.rstrip("/")
    places = [f"{root}/lib/{name}/site-packages" for name in host.list(f"{root}/lib") if name.startswith("python")]
    places = [place for place in (*places, f"{root}/Lib/site-packages") if host.list(place)]
    if not places:
        return None
    packages: dict[str, Version] = {}
    for place in places:
        for name in host.list(place):
            if (match := _DIST.fullmatch(name)) is not None and (version := _version(match["version"])) is not None:
                packages.setdefault(canonicalize_name(match["name"]), version)
    return Installed(
        directory=PurePosixPath(root),
        python=_python(host, root, places[0]),
        packages=tuple(sorted(packages.items())),
        libraries=tuple(_libraries(host, places)),
    )


def _python(host: Host, root: str, place: str) -> Version | None:
    """The version of Python, from `pyvenv.cfg`, from conda's records, or from the name of the directory."""
    recorded = re.search(r"^version(?:_info)?\s*=\s*([\d.]+)", host.read(f"{root}/pyvenv.cfg") or "", re.MULTILINE)
    if recorded is not None:
        return _version(".".join(recorded[1].strip(".").split(".")[:3]))
    for name in host.list(f"{root}/conda-meta"):
        if (match := re.fullmatch(r"python-(\d+\.\d+\.\d+)-.*\.json", name)) is not None:
            return _version(match[1])
    match = re.search(r"/python(\d+\.\d+)/", place)
    return None if match is None else _version(match[1])


def _libraries(host: Host, places: list[str]) -> list[LibraryOnPath]:
    found = []
    for place in places:
        for part in host.list(f"{place}/nvidia"):
            directory = f"{place}/nvidia/{part}/lib"
            found += [
                LibraryOnPath(soname=name, path=PurePosixPath(directory) / name)
                for name in host.list(directory)
                if CUDA_LIBRARY.fullmatch(name)
            ]
    return found


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
