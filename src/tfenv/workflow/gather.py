"""Files that describe an environment, recognized by content, as one `Configuration`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.inputs import compose, configuration, dockerfile, environments
from tfenv.inputs import project as project_file
from tfenv.inputs import requirements as requirements_file
from tfenv.inputs.declared import read as declared_file
from tfenv.inputs.declared.declared import DependencyFile
from tfenv.inputs.declared.read import format_of
from tfenv.model import tags
from tfenv.model.configuration import Configuration
from tfenv.model.package import normalize
from tfenv.model.target import Machine, Platform
from tfenv.outputs import pylock
from tfenv.store import files, formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tfenv.facts.database import Database
    from tfenv.model.package import Name, Requirement

_FREEZE = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:==|\s{2,}|=)(?P<version>\d[\w.!+]*)(?:=\S+|\s.*)?$")
_A_FREEZE = 20
_MINORS = range(6, 15)
"""Minor versions of Python 3 that TensorFlow has wheels for, or soon will."""


def gather(paths: Iterable[Path], database: Database, machine: Machine | None = None) -> Configuration:
    """The configuration in all files; if two files give the same value, the first counts.

    Args:
        paths: the files.
        database: the facts.
        machine: what is known of the machine without them, for which markers are decided.

    Raises:
        UsageError: a file cannot be read, or has faults.
    """
    found = Configuration()
    for path in paths:
        found = configuration.merge(found, read(path, database, machine or Machine()))
    return found


def read(path: Path, database: Database, machine: Machine) -> Configuration:
    """The configuration in one file of any kind.

    Raises:
        UsageError: it cannot be read, or has faults.
    """
    text = files.read(path)

    def beside(name: str) -> str | None:
        with suppress(UsageError, OSError):
            return files.read(
                path.parent / name.rsplit("/", 1)[-1] if not (path.parent / name).exists() else path.parent / name
            )
        return None

    if (declared := _declared(path, text, machine)) is not None:
        return declared
    match kind(text):
        case "json":
            return configuration.loads(text, path.name)
        case "lock":
            return _lock(text, path.name)
        case "environment":
            return environments.loads(text, path.name)
        case "compose":
            return compose.loads(text, path.name, database.images, read=beside)
        case "dockerfile":
            return dockerfile.loads(text, database.images, read=beside)
        case _:
            return _requirements(text, path, machine)


def kind(text: str) -> str:
    """`json`, `lock`, `environment`, `compose`, `dockerfile` or `requirements`, by content."""
    if text.lstrip().startswith("{"):
        return "json"
    if re.search(r"^lock-version\s*=", text, re.MULTILINE):
        return "lock"
    if re.search(r"^services\s*:", text, re.MULTILINE):
        return "compose"
    if re.search(r"^dependencies\s*:", text, re.MULTILINE):
        return "environment"
    if re.search(r"^FROM\s+\S+", text, re.MULTILINE | re.IGNORECASE):
        return "dockerfile"
    return "requirements"


def _declared(path: Path, text: str, machine: Machine) -> Configuration | None:
    """What a file of another tool declares; ``None`` for the kinds that describe an environment or an image."""
    form = format_of(path.name, text)
    if form in (None, "environment", "pylock") or path.name.lower().startswith(("dockerfile", "compose")):
        return None
    declared = declared_file.read(path.name, text)
    if declared is None:
        project = project_file.loads(text, path.name)
        declared = DependencyFile(
            requirements=project.dependencies, python=project.python.specifier if project.python is not None else None
        )
    specs = [("python", declared.python)] if declared.python is not None else []
    for library, version in (("cudatoolkit", declared.cuda), ("cudnn", declared.cudnn)):
        specs += [(library, SpecifierSet(f"=={version}"))] if version is not None else []
    if declared.pins:
        specs += [(str(name), SpecifierSet(f"=={version}")) for name, version in declared.pins]
    else:
        pinned = None if declared.python is None else environments.version_in(declared.python)
        machine = replace(machine, python=machine.python or pinned)
        specs += [(str(one.name), one.specifier) for one in _applying(declared.requirements, machine)]
    return replace(environments.of_specs(specs, conda=declared.conda), complete=declared.complete)


def _lock(text: str, name: str) -> Configuration:
    """A `pylock.toml` (PEP 751); a lock of tfenv also describes the machine."""
    document = formats.toml(text, name)
    rows, tools = document.get("packages", []), document.get("tool", {})
    if not isinstance(rows, list) or not isinstance(tools, dict):
        raise UsageError(f"`{name}` is not a lock: `packages` is not a list of tables, or `tool` is not a table")
    packages = tuple(
        pin for index, row in enumerate(rows) if (pin := _pin(row, f"packages[{index}]", name)) is not None
    )
    if "tfenv" not in tools:
        return Configuration(packages=packages, complete=True)
    return Configuration.of(pylock.loads(text, name))


def _pin(row: object, where: str, name: str) -> tuple[Name, SpecifierSet] | None:
    """A package of a lock; ``None`` if it has no version."""
    table = row if isinstance(row, dict) else {}
    try:
        if row is table and ("name" not in table or "version" not in table):
            return None
        return normalize(str(table["name"])), SpecifierSet(f"=={Version(table['version'])}")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"`{name}` is not a lock: `{where}` is not a package with name and version") from error


def _requirements(text: str, path: Path, machine: Machine) -> Configuration:
    """A requirements file, `pip freeze`, or the tables of `pip list` and `conda list`."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))]
    listed = [match for line in lines if (match := _FREEZE.match(line)) is not None]
    if len(listed) == len(lines) or re.search(r"^Package\s+Version|^# packages in environment", text, re.MULTILINE):
        specs = [
            (match["name"].lower(), SpecifierSet(f"=={match['version']}"))
            for match in listed
            if _is_version(match["version"])
        ]
        # a list of 20 pinned packages is complete; a table of conda has other names than PyPI
        return replace(environments.of_specs(specs), complete=len(specs) >= _A_FREEZE and "# packages in" not in text)
    found = requirements_file.read((path,), files.read)
    specs = [
        (environments.with_extras(each.name, each.extras), each.specifier)
        for each in _applying(found.requirements, machine)
    ]
    return environments.of_specs(specs)


def _applying(requirements: Iterable[Requirement], machine: Machine) -> Iterator[Requirement]:
    """The requirements whose markers hold on a machine; one that depends on a Python that is not known is left out."""
    platform = machine.platform or Platform.LINUX_X86_64
    pythons = [machine.python] if machine.python is not None else [Version(f"3.{minor}") for minor in _MINORS]
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or all(marker.evaluate(dict(tags.markers(platform, python))) for python in pythons):
            yield requirement


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:
        return False
    return True
