"""The rows of a TOML table of facts; every fault is reported with the dotted path of its column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import tomli
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.facts.location import remedy
from tfenv.model.document import Table, flag, of, text, whole
from tfenv.model.hardware import Architecture
from tfenv.model.package import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")
V = TypeVar("V", bound="Versioned")

TIERS = ("declared", "installed", "imported", "trained", "gpu")
"""Strength of the evidence for a fact, weakest first: stated by metadata, a page or a file; seen after installation;
seen at import; seen in a fit on a CPU; seen on the named GPU."""


class Versioned(Protocol):
    """A row that holds for a range of releases."""

    @property
    def versions(self) -> SpecifierSet:
        """The range."""


class Row(Table):
    """A table with the columns of facts; a missing or wrong column is a fault and yields an empty value."""

    __slots__ = ()

    def text(self, key: str) -> str:
        """A non-empty string."""
        return self._needed(key, _filled, "")

    def maybe_text(self, key: str) -> str | None:
        """A string that may be missing."""
        return self.get(key, _filled)

    def source(self, key: str = "source") -> str:
        """The source: a string, or a list of strings, which is joined by `; `."""
        return self._needed(key, _source, "")

    def tier(self) -> str:
        """The strength of the evidence, from the column `tier`."""
        return self._needed("tier", _tier, "")

    def version(self, key: str) -> Version:
        """A version."""
        return self._needed(key, of(Version), Version("0"))

    def maybe_version(self, key: str) -> Version | None:
        """A version that may be missing."""
        return self.get(key, of(Version))

    def specifiers(self, key: str) -> SpecifierSet:
        """A range of versions."""
        return self._needed(key, of(SpecifierSet), SpecifierSet())

    def maybe_specifiers(self, key: str) -> SpecifierSet | None:
        """A range of versions that may be missing."""
        return self.get(key, of(SpecifierSet))

    def number(self, key: str) -> int:
        """A whole number."""
        return self._needed(key, whole, 0)

    def flag(self, key: str) -> bool:
        """Whether a column that may be missing is `true`."""
        return self.get(key, flag) or False

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty if missing."""
        return self.many(key, text)

    def some(self, key: str) -> tuple[str, ...]:
        """A list of at least one string."""
        if not (found := self.texts(key)):
            self.fault(key, "must not be empty")
        return found

    def versions(self, key: str) -> tuple[Version, ...]:
        """A list of versions, ascending and without repeats; empty if missing."""
        return self._ascending(key, Version)

    def architectures(self, key: str) -> tuple[Architecture, ...]:
        """A list of architectures, ascending and without repeats; empty if missing."""
        return self._ascending(key, Architecture.parse)

    def requirements(self, key: str, *, because: str, source: str) -> tuple[Requirement, ...]:
        """A list of requirements that only the facts add, each with a reason and its source; empty if missing."""

        def parse(value: object) -> Requirement:
            try:
                requirement = Requirement.of(PackagingRequirement(text(value)), because=because, source=source)
            except InvalidRequirement as error:
                raise ValueError(str(error).splitlines()[0]) from None
            return replace(requirement, brought="fact")

        return self.many(key, parse)

    def rows(self, key: str, parse: Callable[[Row], T]) -> tuple[T, ...]:
        """The parsed rows of `[[key]]`, in the order of the file; an unknown column is a fault."""
        return tuple(value for _, value in self.pairs(key, parse))

    def pairs(self, key: str, parse: Callable[[Row], T]) -> tuple[tuple[Row, T], ...]:
        """As `rows`, each with the row itself, for faults that only appear in comparison with other rows."""
        found = []
        for row in self.tables(key):
            found.append((row, parse(row)))
            row.close()
        return tuple(found)

    def _needed(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """As `need`, but the default after a fault, so that computations with the value do not fail."""
        found = cast("T | None", self.need(key, parse))
        return default if found is None else found

    def _ascending(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        values = self.many(key, of(parse))
        if list(values) != sorted(set(values)):  # type: ignore[type-var]
            self.fault(key, "must ascend without repeats")
        return values


def read(path: Path) -> Row:
    """A TOML file, to be read row by row and closed with `finish`.

    Raises:
        UsageError: it is missing or is not TOML.
    """
    try:
        return Row(tomli.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"`{path}` cannot be read: {wrong}", hint=remedy(path)) from wrong


def finish(root: Row, path: Path) -> None:
    """Report the faults of a file, unknown tables included.

    Raises:
        UsageError: with all faults.
    """
    root.close()
    root.refuse(str(path), hint=remedy(path))


def load(path: Path, key: str, parse: Callable[[Row], T]) -> tuple[T, ...]:
    """The rows of a file with only one kind of row, `[[key]]`, in its order.

    Raises:
        UsageError: with every fault.
    """
    root = read(path)
    found = root.rows(key, parse)
    finish(root, path)
    return found


def covering(rows: Iterable[V], version: Version) -> Iterator[V]:
    """The rows whose range holds a release; pre-releases count."""
    return (row for row in rows if row.versions.contains(version, prereleases=True))


def cited(source: str) -> tuple[str, ...]:
    """The single files and URLs in a source: rows separate them by `; `, requirements by lines."""
    return tuple(
        dict.fromkeys(part.strip() for line in source.split("\n") for part in line.split("; ") if part.strip())
    )


def _filled(value: object) -> str:
    if not (found := text(value)):
        raise ValueError("must not be empty")
    return found


def _source(value: object) -> str:
    return _filled("; ".join(map(text, value)) if isinstance(value, list) else value)


def _tier(value: object) -> str:
    if (found := text(value)) not in TIERS:
        raise ValueError(f"is `{found}`, not one of {', '.join(TIERS)}")
    return found
