"""Software on a host: libraries on the loader path, container engines, Pythons."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tfenv.model.inventory import ContainerEngine, Interpreter, LibraryOnPath

if TYPE_CHECKING:
    from tfenv.machine.host import Host

CUDA_LIBRARY = re.compile(
    r"lib(?:cuda|cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|cudnn\w*|nccl|nvrtc|nvJitLink|nvinfer)\.so[.\d]*"
)
_PYTHON = re.compile(r"python[23]\.\d+(?:\.exe)?")
_ENGINES = ("docker", "podman")


def libraries(host: Host) -> tuple[LibraryOnPath, ...]:
    """CUDA libraries that the loader finds: first in `LD_LIBRARY_PATH`, then in the cache of `ldconfig`."""
    found = [
        _library(host, directory, name, first=True)
        for directory in host.environment.get("LD_LIBRARY_PATH", "").split(":")
        if directory
        for name in host.list(directory)
        if CUDA_LIBRARY.fullmatch(name)
    ]
    cache = host.run("ldconfig", "-p") or host.run("/sbin/ldconfig", "-p") or ""
    for name, path in re.findall(r"^\s*(\S+) \([^)]*\) => (\S+)$", cache, re.MULTILINE):
        if CUDA_LIBRARY.fullmatch(name) and path not in {str(each.path) for each in found}:
            found.append(_library(host, path.rpartition("/")[0], name))
    return tuple(dict.fromkeys(found))


def _library(host: Host, directory: str, name: str, *, first: bool = False) -> LibraryOnPath:
    """A library, with the version in its longest name in the same directory (`libcudnn.so.8.1.0`)."""
    stem = re.escape(name.partition(".so")[0])
    versions = [
        Version(match[1]) for other in host.list(directory) if (match := re.fullmatch(rf"{stem}\.so\.([\d.]+)", other))
    ]
    full = [version for version in versions if len(version.release) > 2]
    path = PurePosixPath(directory) / name
    return LibraryOnPath(soname=name, path=path, version=max(full, default=None), first=first)


def engines(host: Host) -> tuple[ContainerEngine, ...]:
    """Container engines whose client is installed, and how they give GPUs to containers.

    Source: `docker info` lists the runtime `nvidia` once nvidia-container-toolkit is configured; CDI specifications
    are in `/etc/cdi` and `/var/run/cdi`.
    """
    cdi = any("nvidia" in name for place in ("/etc/cdi", "/var/run/cdi") for name in host.list(place))
    found = []
    for name in _ENGINES:
        if host.run(name, "--version") is None:
            continue
        answer = host.run(name, "info", "--format", "{{json .}}")
        if answer is None:
            found.append(
                ContainerEngine(name=name, version=None, trouble="its client is installed, but no engine answers")
            )
            continue
        version = re.search(r'"(?:ServerVersion|Version)"\s*:\s*"([^"]+)"', answer)
        runtime = re.search(r'"Runtimes"\s*:\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*"nvidia"', answer) is not None
        found.append(
            ContainerEngine(
                name=name,
                version=version[1] if version else None,
                gpu="cdi" if cdi else "nvidia-runtime" if runtime else None,
            )
        )
    return tuple(found)


def interpreters(host: Host) -> tuple[Interpreter, ...]:
    """Pythons on `PATH` and under pyenv and uv, each version once, newest first."""
    home = host.environment.get("HOME", "")
    places = [place for place in host.environment.get("PATH", "").split(":") if place and "shims" not in place]
    pyenv = host.environment.get("PYENV_ROOT") or f"{home}/.pyenv"
    for base in (f"{pyenv}/versions", f"{home}/.local/share/uv/python"):
        places += [f"{base}/{name}/bin" for name in host.list(base)]
    found: dict[Version, Interpreter] = {}
    for place in places:
        for name in host.list(place):
            if _PYTHON.fullmatch(name):
                path = f"{place}/{name}"
                version = _first_version(host.run(path, "-c", "import platform; print(platform.python_version())"))
                if version is not None and version not in found:
                    pip = _first_version((host.run(path, "-m", "pip", "--version") or "").removeprefix("pip "))
                    found[version] = Interpreter(path=PurePosixPath(path), version=version, pip=pip)
    return tuple(found[version] for version in sorted(found, reverse=True))


def _first_version(text: str | None) -> Version | None:
    words = (text or "").split()
    try:
        return Version(words[0]) if words else None
    except InvalidVersion:
        return None
