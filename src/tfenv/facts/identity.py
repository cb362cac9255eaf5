"""Which distributions are TensorFlow, and which distributions write the same files (`distributions.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.facts.rows import finish, read
from tfenv.model.document import one_of
from tfenv.model.package import Name, normalize
from tfenv.model.target import Accelerator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tfenv.facts.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution that brings the module `tensorflow`.

    Attributes:
        name: normalized name of the project.
        numbered: whether it has the version numbers of TensorFlow and the code of its releases.
        wish: accelerator that its name implies; ``None`` if it implies none.
        nightly: whether its releases are nightly builds.
        builder: organization that builds it; empty for the TensorFlow project.
        source: page that documents it.
    """

    name: Name
    numbered: bool
    nightly: bool
    wish: Accelerator | None
    builder: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFiles:
    """Distributions that write the same files, so that only one of them can be installed.

    Attributes:
        packages: normalized names of the projects.
        files: example of such a file.
        source: page that documents it.
    """

    packages: tuple[Name, ...]
    files: str
    source: str


class DistributionTable:
    """All rows of the table.

    Attributes:
        all: distributions of TensorFlow; if several are installed, the first in this order counts.
        shared: groups of distributions that write the same files.
    """

    def __init__(self, path: Path) -> None:
        """Read `constraints/facts/distributions.toml`.

        Raises:
            UsageError: the file has faults; all of them are listed.
        """
        root = read(path)
        self.all = root.rows("distribution", _distribution)
        self.shared = root.rows("same_files", _shared)
        finish(root, path)
        self._by_name = {row.name: row for row in self.all}

    def of(self, name: str) -> Distribution | None:
        """The row of a distribution; ``None`` if it is not TensorFlow."""
        return self._by_name.get(Name(name))

    def first(self, names: Collection[str]) -> Distribution | None:
        """The distribution that is TensorFlow among some names; ``None`` if there is none."""
        return next((row for row in self.all if row.name in names), None)

    def overwriting(self, names: Collection[str]) -> Iterator[tuple[tuple[Name, ...], SharedFiles]]:
        """Each group of installed distributions that write the same files."""
        for row in self.shared:
            found = tuple(name for name in row.packages if name in names)
            if len(found) > 1:
                yield found, row


def _distribution(row: Row) -> Distribution:
    row.tier()
    return Distribution(
        name=normalize(row.text("name")),
        numbered=row.flag("numbered"),
        nightly=row.flag("nightly"),
        wish=row.get("wish", one_of(Accelerator)),
        builder=row.maybe_text("builder") or "",
        source=row.source(),
    )


def _shared(row: Row) -> SharedFiles:
    row.tier()
    return SharedFiles(
        packages=tuple(map(normalize, row.some("packages"))), files=row.text("files"), source=row.source()
    )
