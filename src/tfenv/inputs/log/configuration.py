"""The facts in an error log, as a `Configuration`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError
from tfenv.inputs import configuration
from tfenv.inputs.log import pythons
from tfenv.inputs.log.tracebacks import python_of
from tfenv.model.package import TENSORFLOW, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfenv.inputs.log.requirements import Edge
    from tfenv.model.configuration import Configuration

_SYSTEMS = (
    ("Windows", re.compile(r"\b[A-Z]:\\(?:Users|Program|Windows|ProgramData|Python)", re.IGNORECASE)),
    ("macOS", re.compile(r"/Users/\w|/opt/homebrew/|/Library/Frameworks/Python\.framework")),
    ("linux", re.compile(r"/usr/(?:local/)?lib/python\d|/home/\w|/root/|/opt/conda/|linux-gnu")),
)
"""Folders that only one system has."""
_APPLE = re.compile(r"/opt/homebrew/|macosx_\d+_\d+_arm64")
_INSTALLED = re.compile(r"^Successfully installed (?P<names>.{1,20000})$", re.MULTILINE)
_RELEASE = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)-(?P<version>\d[\w.+!]*)(?=\s|$)")
_SATISFIED = re.compile(
    r"^Requirement already satisfied: (?P<name>[A-Za-z][\w-]*)\S{0,200} in \S.{0,300}? \((?P<version>\d[\w.+]*)\)",
    re.MULTILINE,
)
_LIST = re.compile(
    r"^(?:Package\s+Version\b|# packages in environment|# Name\s+Version)[^\n]*\n(?P<rows>(?:[^\n]+\n?)+)", re.MULTILINE
)
_ROW = re.compile(r"^(?P<name>[A-Za-z][\w.-]*)(?:\s+|==)(?P<version>\d[\w.+!]*)(?=\s|$)", re.MULTILINE)
_FROZEN = re.compile(r"^(?P<name>[A-Za-z][\w.-]*)==(?P<version>\d[\w.+!]*)$", re.MULTILINE)

_KEYS = ("tf", "python", "cuda", "cudnn", "driver", "gpu", "glibc", "os", "arch")


def read(found: Iterable[Mapping[str, str]]) -> Configuration:
    """The configuration that these facts make; of two of one name the first counts, what cannot be read is left out."""
    from json import dumps

    values: dict[str, Any] = {}
    packages: dict[str, str] = {}
    for each in found:
        for key, value in _spelled(each):
            if key.startswith("packages."):
                packages.setdefault(key.removeprefix("packages."), value)
            else:
                values.setdefault(key, value)
    for key in list(values):
        if not _readable({key: values[key]}):
            del values[key]
    packages = {name: value for name, value in packages.items() if _readable({"packages": {name: value}})}
    return configuration.loads(dumps({**values, "packages": packages}), "the log")


def of_text(text: str, edges: Sequence[Edge]) -> Iterator[Mapping[str, str]]:
    """What paths, lists of packages and the sentences of installers tell, the surest first."""
    for match in (*_SATISFIED.finditer(text), *_FROZEN.finditer(text)):
        yield _package(match["name"], match["version"])
    for match in _INSTALLED.finditer(text):
        for release in _RELEASE.finditer(match["names"]):
            yield _package(release["name"], release["version"])
    for match in _LIST.finditer(text):
        for row in _ROW.finditer(match["rows"]):
            yield _package(row["name"], row["version"])
    yield from pythons.facts(text)
    for edge in edges:
        if edge.has:
            yield _package(edge.name, edge.has)
        if edge.installed and edge.by is not None and edge.version:
            yield _package(edge.by, edge.version)
        if edge.by is None and edge.wants:
            yield _package(edge.name, str(edge.wants).removeprefix("=="))
    if (python := python_of(text)) is not None:
        yield {"python": str(python)}
    for system, pattern in _SYSTEMS:
        if pattern.search(text) is not None:
            yield {"os": system, "arch": "arm64"} if _APPLE.search(text) is not None else {"os": system}
            break


def _package(name: str, version: str) -> Mapping[str, str]:
    """A package by the key of the configuration; TensorFlow has its own."""
    key = normalize(name)
    return {"tf": version} if key == TENSORFLOW else {f"packages.{key}": version}


def _spelled(found: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Facts by the keys of the configuration; numbers as they are printed elsewhere (`8200` for cuDNN 8.2.0)."""
    for key, value in found.items():
        if key == "capability":
            yield "compute_capability", value
        elif key == "cp":
            yield "python", f"{value[0]}.{value[1:]}"
        elif key == "sm":
            yield "compute_capability", f"{value[:-1]}.{value[-1]}"
        elif key == "os" and value in ("win32", "win"):
            yield "os", "Windows"
        elif key == "os" and value == "manylinux":
            yield "os", "Linux"
        elif key in _KEYS or key.startswith("packages."):
            yield key, value


def _readable(values: dict[str, Any]) -> bool:
    from json import dumps

    try:
        configuration.loads(dumps(values), "the log")
    except UsageError:
        return False
    return True
