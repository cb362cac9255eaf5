"""Base images: the tags for each Python and CUDA, and the glibc in them (`images.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.contents import ContentsTable
from tfenv.facts.rows import finish, read

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.rows import Row

# placeholder in a row with a fault, until the faults are raised
_NO_VERSION = Version("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One published image.

    Attributes:
        reference: registry, repository and tag, such as `docker.io/library/python:3.13.15-slim-bookworm`.
        os: distribution and release, such as `debian 12` or `ubuntu 22.04`.
        glibc: version of glibc in it.
        python: full version of the interpreter in it; for a CUDA image, which has none, the minor version that the
            distribution installs as `python3`.
        cuda: toolkit whose runtime is in it, as precise as the tag; ``None`` if there is none.
        cudnn: full version in it, or only the major if no more is known; ``None`` if there is none.
        deleted: date and source of the deletion, if the tag is no longer in the registry.
        source: list that contains the tag.
        cudnn_source: Dockerfile of the tag, which names its cuDNN; empty if there is none.
        tier: how well the row is proven.
    """

    reference: str
    os: str
    glibc: Version
    python: Version
    cuda: Version | None = None
    cudnn: Version | None = None
    deleted: str | None = None
    source: str
    cudnn_source: str = ""
    tier: str


class ImageTable:
    """All known base images; tags are looked up here and never composed.

    Attributes:
        all: rows in the order of the file: newest first.
        systems: distribution releases that an image is based on, by name.
        glibc: glibc of each of them.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/images.toml`.

        Raises:
            UsageError: it has faults.
        """
        root = read(path)
        systems = {system.name: system for system in root.rows("os", _system)}
        self.systems = systems
        self._pythons = root.rows("python", lambda row: _python(row, systems))
        self._cudas = root.rows("cuda", lambda row: _cuda(row, systems))
        finish(root, path)
        self.all: tuple[ImageRow, ...] = (*self._pythons, *self._cudas)
        self.glibc = {name: system.glibc for name, system in systems.items()}
        self._contents = path.with_name("contents.toml")

    @cached_property
    def contents(self) -> ContentsTable:
        """Contents of other images, which are not offered as base images."""
        return ContentsTable(self._contents)

    @property
    def pythons(self) -> tuple[Version, ...]:
        """The newest patch release with an image of each minor version of CPython, newest first."""
        return tuple(sorted((row.python for row in self._pythons), reverse=True))

    def python(self, python: Version) -> ImageRow:
        """The image for a Python `X.Y` (or `X.Y.Z`, of which only `X.Y` counts: one patch release is kept of each).

        Raises:
            UsageError: there is no image for that minor version.
        """
        for row in self._pythons:
            if row.python.release[:2] == python.release[:2]:
                return row
        known = ", ".join(f"{version.major}.{version.minor}" for version in self.pythons)
        raise UsageError(f"no base image is known for Python {python}", hint=f"there is one for each of {known}")

    def cuda(self, cuda: Version, cudnn_major: int, *, python: Version | None = None) -> ImageRow | None:
        """The runtime image of a toolkit `X.Y` (or `X.Y.Z`, then exactly that one) with a major of cuDNN.

        An image whose distribution offers that minor version of Python is preferred, otherwise the newest is taken;
        ``None`` if there is none.
        """
        wanted = cuda.release
        rows = [
            row
            for row in self._cudas
            if row.cuda is not None
            and row.cuda.release[: len(wanted)] == wanted
            and row.cudnn is not None
            and row.cudnn.major == cudnn_major
        ]
        if python is not None:
            rows.sort(key=lambda row: row.python.release[:2] != python.release[:2])
        return rows[0] if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRow:
    """A release of a distribution.

    Attributes:
        name: distribution and release, such as `debian 12`.
        glibc: version of glibc.
        python: Python that it installs as `python3`; ``None`` if not known.
        pip: pip that it installs as `python3-pip`; ``None`` if not known.
    """

    name: str
    glibc: Version
    python: Version | None
    pip: Version | None


def _system(row: Row) -> SystemRow:
    row.text("source")
    row.tier()
    if (python := row.maybe_version("python")) is not None:
        row.text("python_source")
    if (pip := row.maybe_version("pip")) is not None:
        row.text("pip_source")
    return SystemRow(name=row.text("name"), glibc=row.version("glibc"), python=python, pip=pip)


def _python(row: Row, systems: dict[str, SystemRow]) -> ImageRow:
    system = _os(row, systems)
    return ImageRow(
        reference=row.text("reference"),
        os=system.name,
        glibc=system.glibc,
        python=row.version("python"),
        source=row.text("source"),
        tier=row.tier(),
    )


def _cuda(row: Row, systems: dict[str, SystemRow]) -> ImageRow:
    system = _os(row, systems)
    if system.python is None:
        row.fault("os", f"the `python3` of `{system.name}` is not known")
    return ImageRow(
        reference=row.text("reference"),
        os=system.name,
        glibc=system.glibc,
        python=system.python or _NO_VERSION,
        cuda=row.version("cuda"),
        cudnn=row.version("cudnn"),
        deleted=row.maybe_text("deleted"),
        source=row.text("source"),
        cudnn_source=row.text("cudnn_source"),
        tier=row.tier(),
    )


def _os(row: Row, systems: dict[str, SystemRow]) -> SystemRow:
    if (name := row.text("os")) and name not in systems:
        row.fault("os", f"there is no `[[os]]` named `{name}`")
    return systems.get(name, SystemRow(name=name, glibc=_NO_VERSION, python=_NO_VERSION, pip=None))
