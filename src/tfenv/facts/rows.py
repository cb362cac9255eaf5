"""Reading the rows of a TOML table, so that every fault is told with the row it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import tomli
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.model.hardware import Architecture

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

T = TypeVar("T")

TIERS = ("declared", "installed", "imported", "trained", "gpu")
"""How well a fact is proven, weakest first: metadata, a page or a file says so; it was installed; imported; a fit ran
on a CPU; it ran on the GPU that is named."""


class Row:
    """One table of a TOML file; a value that is missing or wrong becomes a fault of the document."""

    def __init__(self, values: dict[str, Any], path: str, faults: list[str]) -> None:
        self._values = values
        self._faults = faults
        self.path = path

    def fault(self, key: str, what: str) -> None:
        """Note what is wrong with one key of this row."""
        self._faults.append(f"{self.path}.{key}: {what}")

    def known(self, keys: Collection[str]) -> None:
        """Fault every key that is not one of `keys` (a typing error would else be silently ignored)."""
        for key in sorted(self._values.keys() - set(keys)):
            self.fault(key, "no such column")

    def text(self, key: str) -> str:
        """A string that is not empty."""
        value = self._values.get(key)
        if isinstance(value, str) and value:
            return value
        self.fault(key, "a string that is not empty is wanted")
        return ""

    def maybe_text(self, key: str) -> str | None:
        """A string that may be missing."""
        return self.text(key) if key in self._values else None

    def source(self, key: str = "source") -> str:
        """Who says so: a string, or a list of them, which is joined by `; `."""
        if not isinstance(self._values.get(key), list):
            return self.text(key)
        if not (found := "; ".join(self.texts(key))):
            self.fault(key, "empty")
        return found

    def tier(self) -> str:
        """How well the row is proven, from column `tier`."""
        value = self.text("tier")
        if value and value not in TIERS:
            self.fault("tier", f"`{value}` is none of {', '.join(TIERS)}")
        return value

    def version(self, key: str) -> Version:
        """A version."""
        return self._parsed(key, Version, InvalidVersion, Version("0"))

    def maybe_version(self, key: str) -> Version | None:
        """A version that may be missing."""
        return self.version(key) if key in self._values else None

    def specifiers(self, key: str) -> SpecifierSet:
        """A range of versions."""
        return self._parsed(key, SpecifierSet, InvalidSpecifier, SpecifierSet())

    def number(self, key: str) -> int:
        """A whole number."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fault(key, "a whole number is wanted")
        return 0

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty if missing."""
        value = self._values.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.fault(key, "a list of strings is wanted")
        return ()

    def table(self, key: str) -> dict[str, str]:
        """A table of strings; empty if missing."""
        value = self._values.get(key, {})
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return dict(value)
        self.fault(key, "a table of strings is wanted")
        return {}

    def versions(self, key: str) -> tuple[Version, ...]:
        """A list of versions, ascending and without repeats; empty if missing."""
        return self._ascending(key, Version, InvalidVersion)

    def architectures(self, key: str) -> tuple[Architecture, ...]:
        """A list of architectures, ascending and without repeats; empty if missing."""
        return self._ascending(key, Architecture.parse, ValueError)

    def _parsed(self, key: str, parse: Callable[[str], T], error: type[Exception], default: T) -> T:
        text = self.text(key)
        try:
            return parse(text) if text else default
        except error as wrong:
            self.fault(key, str(wrong))
            return default

    def _ascending(self, key: str, parse: Callable[[str], T], error: type[Exception]) -> tuple[T, ...]:
        texts = self.texts(key)
        try:
            values = tuple(parse(text) for text in texts)
        except error as wrong:
            self.fault(key, str(wrong))
            return ()
        if list(values) != sorted(set(values)):  # type: ignore[type-var]
            self.fault(key, "not ascending, or with repeats")
        return values


class Document:
    """A TOML file of arrays of tables, whose faults are collected and raised together by `check`."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            UsageError: it is missing or is no TOML.
        """
        self._path = path
        self._faults: list[str] = []
        self._asked: set[str] = set()
        try:
            self._values = tomli.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as wrong:
            raise UsageError(f"`{path}` cannot be read: {wrong}") from wrong

    def rows(self, name: str) -> tuple[Row, ...]:
        """The rows of `[[name]]`, in the order of the file."""
        self._asked.add(name)
        values = self._values.get(name, [])
        if not (isinstance(values, list) and all(isinstance(value, dict) for value in values)):
            self._faults.append(f"{name}: an array of tables is wanted")
            return ()
        return tuple(Row(value, f"{name}[{number}]", self._faults) for number, value in enumerate(values))

    def check(self) -> None:
        """Raise everything found wrong, tables that nobody asked for included (their name has a typing error).

        Raises:
            UsageError: with all faults.
        """
        unasked = (f"{name}: no such table" for name in sorted(self._values.keys() - self._asked))
        if faults := (*self._faults, *unasked):
            raise UsageError(f"`{self._path}` has faults", faults=faults)


def cited(source: str) -> tuple[str, ...]:
    """One file or URL each: rows write several with `; `, demands one line for each reason."""
    return tuple(
        dict.fromkeys(part.strip() for line in source.split("\n") for part in line.split("; ") if part.strip())
    )
