"""Locks of other tools: what is installed, and the versions that a new lock keeps where they fit."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.inputs.declared.declared import Collector, DependencyFile, roots, specifier, table, tables, text, version
from tfenv.model.package import Requirement, normalize
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.version import Version

    from tfenv.model.package import Name

_PYPI = ("https://pypi.org/simple", "https://pypi.python.org/simple")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_PLATFORM = "linux-64"
"""the platform whose packages are read of a lock for several"""


def of_toml(content: str, name: str) -> DependencyFile:
    """`poetry.lock`, `uv.lock` and `pdm.lock`, which differ in how they say where a package comes from.

    Raises:
        UsageError: the text is not TOML, or no such lock.
    """
    document = formats.toml(content, name)
    rows = list(tables(document.get("package")))
    if not rows:
        raise UsageError(f"`{name}` has no table `[[package]]`: it is no lock of Poetry, uv or PDM")
    found = Collector(name=name)
    pins: list[tuple[Name, Version]] = []
    needed: list[Name] = []
    asked: list[Name] | None = None
    counted = Counter(_registry(table(row, "source")) for row in rows if not _is_own(row))
    usual = max(counted, key=lambda registry: counted[registry], default="")
    for row in rows:
        key, source = text(row.get("name")), table(row, "source")
        if not _NAME.fullmatch(key):
            continue
        requires = [normalize(each) for each in _required(row.get("dependencies"))]
        if _is_own(row):
            asked = [*(asked or []), *requires]
            continue
        needed += [each for each in requires if each != normalize(key)]
        place = _elsewhere(row, source, usual)
        if place is not None:
            found.away(key, place, f"package `{key}`")
        elif (locked := version(row.get("version"))) is not None:
            pins.append((normalize(key), locked))
    python = text(document.get("requires-python")) or text(table(document, "metadata").get("python-versions"))
    return _declared(found, pins, roots((name for name, _ in pins), needed) if asked is None else asked, python)


def of_pylock(content: str, name: str) -> DependencyFile:
    """A `pylock.toml` (PEP 751) of any tool.

    Raises:
        UsageError: the text is not TOML.
    """
    document = formats.toml(content, name)
    found = Collector(name=name)
    pins: list[tuple[Name, Version]] = []
    needed: list[Name] = []
    for row in tables(document.get("packages")):
        key = text(row.get("name"))
        needed += [normalize(each) for each in _required(row.get("dependencies"))]
        place = next((row[each] for each in ("vcs", "directory", "archive") if each in row), None)
        if place is not None:
            rest = place if isinstance(place, dict) else {}
            found.away(key or None, rest.get("url") or rest.get("path") or "elsewhere", f"package `{key}`")
        elif _NAME.fullmatch(key) and (locked := version(row.get("version"))) is not None:
            pins.append((normalize(key), locked))
    return _declared(found, pins, roots((name for name, _ in pins), needed), text(document.get("requires-python")))


def of_pipenv(content: str, name: str) -> DependencyFile:
    """A `Pipfile.lock`.

    Raises:
        UsageError: the text is not JSON.
    """
    document = formats.json(content, name)
    found = Collector(name=name)
    pins: list[tuple[Name, Version]] = []
    for key, row in table(document, "default").items():
        fields = row if isinstance(row, dict) else {}
        place = next((fields[each] for each in ("git", "path", "file", "url") if each in fields), None)
        if place is not None:
            found.away(key, place, "default")
        elif _NAME.fullmatch(key) and (locked := version(fields.get("version"))) is not None:
            pins.append((normalize(key), locked))
    python = text(table(document, "_meta", "requires").get("python_version"))
    return _declared(found, pins, [name for name, _ in pins], f"=={python}.*" if python else "")


def of_conda(content: str, name: str) -> DependencyFile:
    """`conda-lock.yml` and `pixi.lock`, for Linux on x86-64 if they are for several platforms.

    Raises:
        UsageError: the text is not YAML.
    """
    document = formats.yaml(content, name)
    rows = document.get("package") if isinstance(document, dict) else None
    if rows is None and isinstance(document, dict):
        rows = document.get("packages")
    pins: dict[Name, Version] = {}
    conda: list[str] = []
    python = cuda = cudnn = None
    for key, locked, is_conda in _conda_rows(rows):
        if key == "python":
            python = specifier(f"=={locked.major}.{locked.minor}.*")
        elif key in ("cudatoolkit", "cuda-version"):
            cuda = locked
        elif key == "cudnn":
            cudnn = locked
        else:
            pins[normalize(key)] = locked
            conda += [key] if is_conda else []
    return DependencyFile(
        python=python, pins=tuple(pins.items()), conda=tuple(conda), cuda=cuda, cudnn=cudnn, complete=True
    )


def _conda_rows(rows: object) -> Iterator[tuple[str, Version, bool]]:
    for row in tables(rows):
        url = text(row.get("conda")) or text(row.get("pypi")) or text(row.get("url"))
        key, number = text(row.get("name")), text(row.get("version"))
        is_conda = "conda" in row or row.get("manager") == "conda" or row.get("kind") == "conda"
        if is_conda and "/" in url and (not key or not number):
            parts = url.rpartition("/")[2].rsplit("-", 2)
            key, number = (parts[0], parts[1]) if len(parts) > 2 else ("", "")
        platform = text(row.get("platform")) or next(
            (part for part in url.split("/") if part.startswith(("linux-", "osx-", "win-"))), _PLATFORM
        )
        locked = version(number)
        if _NAME.fullmatch(key) and locked is not None and platform in (_PLATFORM, "noarch"):
            yield key.lower(), locked, is_conda


def _required(value: object) -> Iterator[str]:
    """Names of dependencies: keys of a table, tables with a name, or requirements."""
    for each in value if isinstance(value, list | dict) else ():
        said = text(each.get("name")) if isinstance(each, dict) else text(each)
        if (match := _NAME.match(said)) is not None:
            yield match[0]


def _is_own(row: dict[str, object]) -> bool:
    """Whether a row is the project itself, in a lock of uv."""
    return bool(table(row, "source").keys() & {"virtual", "editable"})


def _elsewhere(row: dict[str, object], source: dict[str, object], usual: str) -> str | None:
    """Where a package comes from, if neither from PyPI nor from the index that most packages come from, a mirror."""
    for key in ("git", "path", "directory"):
        if text(source.get(key)):
            return text(source[key])
        if text(row.get(key)):
            return text(row[key])
    kind, url = text(source.get("type")), text(source.get("url")) or text(row.get("url"))
    if url and kind != "legacy":
        return url
    if kind in ("git", "url", "file", "directory"):
        return kind
    registry = _registry(source)
    return registry if registry not in ("", usual) else None


def _registry(source: dict[str, object]) -> str:
    """The index that a package comes from; empty for PyPI, and for what does not come from an index."""
    legacy = text(source.get("url")) if source.get("type") == "legacy" else ""
    url = text(source.get("registry")) or legacy
    return "" if url.startswith(_PYPI) else url


def _declared(
    found: Collector, pins: list[tuple[Name, Version]], wanted: Iterable[Name], python: str
) -> DependencyFile:
    held = dict(pins)
    return DependencyFile(
        requirements=tuple(Requirement(name=name, source=found.name) for name in dict.fromkeys(wanted) if name in held),
        python=specifier(python or None),
        pins=tuple(held.items()),
        elsewhere=tuple(found.elsewhere),
        complete=True,
        notes=tuple(found.notes),
    )
