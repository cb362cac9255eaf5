"""What a project and the files named by `-r` declare, put together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tfenv.inputs import requirements as requirements_file
from tfenv.model.package import Requirement, normalize
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.version import Version

    from tfenv.inputs.declared.declared import DependencyFile
    from tfenv.inputs.project import Project
    from tfenv.model.package import Elsewhere, Name

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
"""Locks of other tools beside a `pyproject.toml`, whose versions are kept where they fit."""


class Declarations:
    """Everything that files declare; later files add to earlier ones.

    Attributes:
        requirements: wanted packages.
        constraints: bounds on packages.
        indexes: indexes in the order in which the files name them.
        preferred: versions that locks of other tools hold.
        elsewhere: dependencies that do not come from an index of the lock.
        cuda: CUDA that conda was to install; ``None`` if none.
        notes: one line for each thing that is not part of a lock.
    """

    def __init__(self) -> None:
        self.requirements: list[Requirement] = []
        self.constraints: list[Requirement] = []
        self.indexes: list[str] = []
        self.preferred: dict[Name, Version] = {}
        self.elsewhere: list[Elsewhere] = []
        self.cuda: Version | None = None
        self.notes: dict[str, None] = {}

    def project(self, path: Path, *, target: str | None, extras: Iterable[Name], groups: Iterable[Name]) -> Project:
        """Read a `pyproject.toml`, the files it names, and the lock of another tool beside it.

        Args:
            path: the file.
            target: table of `[tool.tfenv.targets]` whose keys replace those of `[tool.tfenv]`.
            extras: extras of the project, beside those that `[tool.tfenv]` names.
            groups: dependency groups, likewise.

        Raises:
            UsageError: it cannot be read or has faults.
        """
        read = _loads(files.read(path), path.name, target=target, extras=extras, groups=groups)
        self._add_project(read)
        self.files([path.parent / name for name in read.files])
        for lock in LOCKS:
            if (beside := path.parent / lock).is_file():
                # 5 modules that a project without such a lock does not need
                from tfenv.inputs.declared.locks import of_toml

                declared = of_toml(files.read(beside), lock)
                self.preferred |= dict(declared.pins)
                self.elsewhere += declared.elsewhere
                self._note(f"versions of {lock} are kept where they fit; `--upgrade` takes the newest")
                break
        return read

    def files(self, paths: Sequence[Path], *, constraints: Sequence[Path] = ()) -> None:
        """Read files of any format that declares dependencies.

        Raises:
            UsageError: a file cannot be read or has faults; those of all requirements files at once.
        """
        plain: list[Path] = []
        for path in paths:
            self._file(path, plain)
        listed = requirements_file.read(plain, files.read, constraints=constraints, environment=os.environ)
        self.requirements += listed.requirements
        self._add_common(listed)

    def _file(self, path: Path, plain: list[Path]) -> None:
        # 3 modules that a lock without files does not need
        from tfenv.inputs.declared.read import format_of, read

        content = files.read(path)
        declared = read(path.name, content)
        if declared is not None:
            self._add(declared, path)
            for name in declared.files:
                self._file(path.parent / name, plain)
        elif format_of(path.name, content) == "pyproject":
            project = _loads(content, path.name)
            self._add_project(project)
            for name in project.files:
                self._file(path.parent / name, plain)
        else:
            plain.append(path)

    def _add_project(self, read: Project) -> None:
        self.requirements += read.dependencies
        self.requirements += (read.python,) if read.python is not None else ()
        self._add_common(read)

    def _add(self, declared: DependencyFile, path: Path) -> None:
        self.requirements += declared.requirements
        if declared.python is not None:
            python = Requirement(
                name=normalize("python"),
                specifier=declared.python,
                because=f"{path.name} asks for it",
                source=path.name,
            )
            self.requirements.append(python)
        self.preferred |= dict(declared.pins)
        self.cuda = self.cuda or declared.cuda
        self._add_common(declared)

    def _add_common(self, read: Project | DependencyFile | requirements_file.Requirements) -> None:
        self.constraints += read.constraints
        self.elsewhere += read.elsewhere
        self.indexes += [url for url in (read.index_url, *read.extra_index_urls) if url is not None]
        self._note(*read.notes)

    def _note(self, *lines: str) -> None:
        self.notes |= dict.fromkeys(lines)


def _loads(
    content: str,
    name: str,
    *,
    target: str | None = None,
    extras: Iterable[Name] = (),
    groups: Iterable[Name] = (),
) -> Project:
    # 8 modules that a lock without a project does not need
    from tfenv.inputs.project import loads

    return loads(content, name, target=target, extras=extras, groups=groups)


def project_here(folder: Path) -> Path | None:
    """The `pyproject.toml` of a project: of a folder, or of the nearest one above it that has one.

    A file without `[tool.tfenv]`, `[project]` and tables of Poetry configures tools only, and is passed over.
    """
    for place in (folder, *folder.resolve().parents):
        path = place / "pyproject.toml"
        if path.is_file() and is_project(files.read(path)):
            return path
        if (place / ".git").exists():
            return None
    return None


def is_project(content: str) -> bool:
    """Whether a `pyproject.toml` declares dependencies or has a request."""
    lines = {line.strip().partition(".dependencies")[0] for line in content.splitlines() if line.startswith("[")}
    return any(line.startswith(("[tool.tfenv", "[project]", "[tool.poetry")) for line in lines)


def left_out(found: Iterable[Elsewhere], locked: Iterable[Name]) -> list[Elsewhere]:
    """Dependencies from elsewhere that a lock holds from an index all the same."""
    names = set(locked)
    return [each for each in found if each.name in names]
