"""Base images: which tag exists for which Python, which for which CUDA, and the glibc in it (`images.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.rows import Document

if TYPE_CHECKING:
    from pathlib import Path

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One image that is known to have been published.

    Attributes:
        reference: registry, repository and tag, such as `docker.io/library/python:3.13.15-slim-bookworm`.
        os: distribution and release, such as `debian 12` or `ubuntu 22.04`.
        glibc: of that release.
        python: full version of the interpreter in it, or of the `python3` that the distribution offers as a package
            where the image itself has none; ``None`` if neither is known.
        cuda: of the toolkit whose runtime is in it, as precise as the tag; ``None`` if there is none.
        cudnn: full version in it; only the major where the list says no more; ``None`` if there is none.
        deleted: NVIDIA has announced that the tag goes, or it is gone, from the registry; the reason, else ``None``.
        source: the list the tag stands in.
        tier: how well the row is proven.
    """

    reference: str
    os: str
    glibc: Version
    python: Version | None = None
    cuda: Version | None = None
    cudnn: Version | None = None
    deleted: str | None = None
    source: str
    tier: str


class ImageTable:
    """All base images that are known; tags are looked up here and never composed.

    Attributes:
        all: every row, in the order of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/images.toml`.

        Raises:
            UsageError: it has faults.
        """
        document = Document(path)
        systems = {row.text("name"): _system(row) for row in document.rows("os")}
        self._pythons = tuple(_python(row, systems) for row in document.rows("python"))
        self._cudas = tuple(_cuda(row, systems) for row in document.rows("cuda"))
        document.check()
        self.all: tuple[ImageRow, ...] = (*self._pythons, *self._cudas)

    @property
    def pythons(self) -> tuple[Version, ...]:
        """The newest patch release of each CPython minor that there is an image of, newest minor first."""
        return tuple(sorted((row.python for row in self._pythons if row.python is not None), reverse=True))

    def python(self, python: Version) -> ImageRow:
        """The image for a Python `X.Y` (or `X.Y.Z`, of which only `X.Y` counts: one patch release is kept of each).

        Raises:
            UsageError: there is none for that minor.
        """
        for row in self._pythons:
            if row.python is not None and row.python.release[:2] == python.release[:2]:
                return row
        known = ", ".join(f"{version.major}.{version.minor}" for version in self.pythons)
        raise UsageError(f"no base image is known for Python {python}", hint=f"there is one for each of {known}")

    def cuda(self, cuda: Version, cudnn_major: int) -> ImageRow | None:
        """The runtime image of a toolkit `X.Y` (or `X.Y.Z`, then exactly that one) with a major of cuDNN.

        Of several the first in the file: it orders them by how well they serve.
        """
        wanted = cuda.release
        for row in self._cudas:
            if (
                row.cuda is not None
                and row.cuda.release[: len(wanted)] == wanted
                and row.cudnn is not None
                and row.cudnn.major == cudnn_major
            ):
                return row
        return None


def _system(row: Row) -> tuple[Version, Version | None]:
    """The glibc of a release of a distribution, and the `python3` it offers."""
    row.known(("name", "glibc", "python", "source", "tier"))
    row.text("source")
    row.tier()
    return row.version("glibc"), row.maybe_version("python")


def _python(row: Row, systems: dict[str, tuple[Version, Version | None]]) -> ImageRow:
    row.known(("reference", "os", "python", "source", "tier"))
    os, (glibc, _) = _os(row, systems)
    return ImageRow(
        reference=row.text("reference"),
        os=os,
        glibc=glibc,
        python=row.version("python"),
        source=row.text("source"),
        tier=row.tier(),
    )


def _cuda(row: Row, systems: dict[str, tuple[Version, Version | None]]) -> ImageRow:
    row.known(("reference", "os", "cuda", "cudnn", "deleted", "source", "tier"))
    os, (glibc, python) = _os(row, systems)
    return ImageRow(
        reference=row.text("reference"),
        os=os,
        glibc=glibc,
        python=python,
        cuda=row.version("cuda"),
        cudnn=row.version("cudnn"),
        deleted=row.maybe_text("deleted"),
        source=row.text("source"),
        tier=row.tier(),
    )


def _os(row: Row, systems: dict[str, tuple[Version, Version | None]]) -> tuple[str, tuple[Version, Version | None]]:
    if (name := row.text("os")) not in systems:
        row.fault("os", f"there is no `[[os]]` named `{name}`")
    return name, systems.get(name, (Version("0"), None))
