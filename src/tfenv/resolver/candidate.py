"""Wants (requirements bound to a Python) and candidates, which is what a resolution is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from tfenv.model.package import File, Name, Requirement

PYTHON = "python"


def is_virtual(identifier: str) -> bool:
    """Is it answered by the target and not by an index?"""
    return identifier == PYTHON or identifier.startswith("__")


@dataclass(frozen=True, slots=True, eq=False)
class Want:
    """A requirement, for one Python.

    Attributes:
        identifier: `name`, `name[extra]`, or a virtual package.
        python: full version that it holds for; ``None`` while Python is not chosen.
    """

    identifier: str
    requirement: Requirement
    python: Version | None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One file of one release, for one Python; made once for each key, so identity is equality.

    Attributes:
        identifier: `name` or `name[extra]`.
        extra: empty for the project itself.
        glibc: the lowest that the file is content with; ``None`` if any.
    """

    identifier: str
    name: Name
    version: Version
    python: Version
    file: File
    extra: str = ""
    glibc: Version | None = None


def is_lockable(file: File) -> bool:
    """Whether installers accept the name of a file in a lock: a source distribution ends with a dash and its version.

    `functools32-3.2.3-2.tar.gz`, which is 3.2.3.post2, is refused (packaging.utils.parse_sdist_filename).
    """
    if file.is_wheel:
        return True
    stem = file.filename.removesuffix(".zip").removesuffix(".tar.gz")
    try:
        return stem != file.filename and Version(stem.rpartition("-")[2]) == file.version
    except InvalidVersion:
        return False


def wants(requirement: Requirement, python: Version | None) -> list[Want]:
    """A requirement as wants: one for each extra (which in turn wants the project itself), or one."""
    if not requirement.extras or is_virtual(requirement.name):
        return [Want(requirement.name, requirement, python)]
    return [Want(f"{requirement.name}[{extra}]", requirement, python) for extra in sorted(requirement.extras)]
