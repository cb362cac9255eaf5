"""Libraries that the loader did not find, by their sonames: the CUDA, cuDNN or driver that they belong to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfenv.model.evidence import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from tfenv.facts.database import Database

_FILE = r"(?P<file>lib[\w+-]{1,60}\.so(?:\.\d{1,4}){0,3}|[A-Za-z_]{1,40}\d{0,2}64_[\d._]{1,12}\.dll|nvcuda\.dll)"
_MISSED = (
    re.compile(
        rf"(?:[Cc]ould not|[Uu]nable to) (?:load|dlopen|find|open)(?: dynamic| shared)?(?: library)?\s*'?{_FILE}"
    ),
    re.compile(rf"(?<![/\w]){_FILE}['\"]?: cannot open shared object file"),
    re.compile(rf"Could not find '{_FILE}'"),
)
_OPENED = re.compile(rf"(?:[Ss]uccessfully opened(?: dynamic)? library|opened CUDA library)\s*'?{_FILE}")


def symptoms(text: str, database: Database) -> Iterator[Symptom]:
    """CUDA and cuDNN, as far as the loader missed a library of theirs."""
    missed: dict[str, str] = {}
    for line in text.split("\n"):
        for pattern in _MISSED:
            if (match := pattern.search(line)) is not None:
                missed.setdefault(match["file"], line.strip())
    opened = tuple(dict.fromkeys(match["file"] for match in _OPENED.finditer(text)))
    toolkits = _toolkits((*opened, *missed), database)
    for file, line in missed.items():
        if _of_cuda(file, database):
            yield _cuda(file, line, toolkits, database)
        elif (majors := _of_cudnn(file, database)) is not None:
            yield _cudnn(file, line, *majors)


def _of_cuda(file: str, database: Database) -> tuple[Version, ...]:
    """The toolkits that a library of this name belongs to, oldest first."""
    return tuple(
        toolkit.version
        for toolkit in database.cuda.all
        if any(file in (library.soname, library.windows) for library in toolkit.libraries)
    )


def _toolkits(files: tuple[str, ...], database: Database) -> tuple[Version, ...]:
    """The toolkits that have every one of these libraries; those of other makers do not count."""
    left = tuple(toolkit.version for toolkit in database.cuda.all)
    for file in files:
        having = _of_cuda(file, database)
        if having and set(having) & set(left):
            left = tuple(version for version in left if version in having)
    return left


def _of_cudnn(file: str, database: Database) -> tuple[Version, Version] | None:
    """The oldest and the newest release of cuDNN that a library of this name belongs to."""
    rows = [row for row in database.cudnn.all if file in (row.soname, row.windows)]
    releases = sorted(release for row in rows for release in row.releases)
    return (releases[0], releases[-1]) if releases else None


def _cuda(file: str, line: str, toolkits: tuple[Version, ...], database: Database) -> Symptom:
    having = _of_cuda(file, database)
    near = tuple(version for version in having if version in toolkits) or having
    fitting = tuple(version for version in near if _of_era(version, line)) or near
    oldest, newest = fitting[0], fitting[-1]
    which = f"CUDA {newest}" if oldest == newest else f"CUDA {oldest} to {newest}"
    return Symptom(
        code="cuda-mismatch",
        subject=file,
        cause=f"TensorFlow opens {file}, a library of {which}, and the loader does not find it",
        line=line,
        sources=("constraints/facts/cuda.toml",),
        cuda=newest,
        advice=_where(file, which),
    )


def _of_era(version: Version, line: str) -> bool:
    """Whether TensorFlow was built with a major of CUDA when its loader was in the source file that the line names."""
    if "tensorflow/stream_executor/" in line:  # until 2.10; later in `tensorflow/tsl` and `external/local_tsl`
        return version.major < _SINCE_TSL
    return "local_tsl" not in line or version.major >= _SINCE_TSL


_SINCE_TSL = 12
"""Source: paths in the logs of TensorFlow 2.10 to 2.15, of which 2.15 is the first built with CUDA 12."""


def _cudnn(file: str, line: str, oldest: Version, newest: Version) -> Symptom:
    which = f"cuDNN {newest.major}"
    return Symptom(
        code="cudnn-mismatch",
        subject=file,
        cause=f"TensorFlow opens {file} of {which} ({oldest} to {newest}), and the loader does not find it",
        line=line,
        sources=("constraints/facts/cudnn.toml",),
        cudnn=newest.__class__(str(newest.major)),
        advice=_where(file, which),
    )


def _where(file: str, which: str) -> str:
    """What to do where the library is installed and not found."""
    if file.endswith(".dll"):
        return f"if {which} is installed, put the folder of {file} on PATH (`where {file}` finds none today)"
    return (
        f"if {which} is installed, `export LD_LIBRARY_PATH=FOLDER:$LD_LIBRARY_PATH` with the folder that holds {file} "
        f"(`find / -name {file} 2>/dev/null`)"
    )
