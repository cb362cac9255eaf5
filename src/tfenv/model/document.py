"""A parsed document (TOML, JSON) read table by table; faults are collected with their dotted paths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum
    from typing import Self

_T = TypeVar("_T")
_E = TypeVar("_E", bound="Enum")


class Table:
    """One table of a document, its dotted path, and the faults found so far in the whole document.

    A parser is a function of the raw value that raises ``ValueError`` for a bad one. Values from a table with faults
    must not be used: call `refuse` first.
    """

    __slots__ = ("_seen", "faults", "path", "values")

    def __init__(self, values: Mapping[str, object], path: str = "", faults: list[str] | None = None) -> None:
        self.values = values
        self.path = path
        self.faults: list[str] = [] if faults is None else faults
        self._seen: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    @property
    def sound(self) -> bool:
        """Whether this table has no faults, as far as it has been read."""
        return not any(fault.startswith((f"`{self.path}.", f"`{self.path}`")) for fault in self.faults)

    def where(self, key: str) -> str:
        """The dotted path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, message: object) -> None:
        """Record a fault at a key, once."""
        if (fault := f"`{self.where(key)}`: {message}") not in self.faults:
            self.faults.append(fault)

    def get(self, key: str, parse: Callable[[object], _T]) -> _T | None:
        """The value at a key; ``None`` if it is missing, null (in JSON) or faulty."""
        self._seen.add(key)
        if self.values.get(key) is None:
            return None
        try:
            return parse(self.values[key])
        except ValueError as error:
            self.fault(key, error)
            return None

    def need(self, key: str, parse: Callable[[object], _T]) -> _T:
        """As `get`; a missing value is a fault too, and the result must not be used then."""
        if self.values.get(key) is None:
            self.fault(key, "is missing")
        return cast("_T", self.get(key, parse))

    def many(self, key: str, parse: Callable[[object], _T]) -> tuple[_T, ...]:
        """The values of an array; empty if there is none."""
        found = []
        for index, value in enumerate(self.get(key, array) or ()):
            try:
                found.append(parse(value))
            except ValueError as error:
                self.fault(f"{key}[{index}]", error)
        return tuple(found)

    def table(self, key: str) -> Self:
        """The table at a key, or an empty one; a missing table is a fault only if a value in it is needed."""
        return type(self)(self.get(key, mapping) or {}, self.where(key), self.faults)

    def tables(self, key: str) -> tuple[Self, ...]:
        """The tables of an array; empty if there is none."""
        found = []
        for index, value in enumerate(self.get(key, array) or ()):
            try:
                found.append(type(self)(mapping(value), self.where(f"{key}[{index}]"), self.faults))
            except ValueError as error:
                self.fault(f"{key}[{index}]", error)
        return tuple(found)

    def close(self) -> None:
        """Report every unknown key as a fault: it is misspelled, or from a later tfenv."""
        for key in self.values:
            if key not in self._seen:
                self.fault(key, f"is not known; known keys are {', '.join(sorted(self._seen))}")

    def refuse(self, name: str, *, hint: str | None = None) -> None:
        """Raise if there are faults.

        Raises:
            UsageError: naming the document and every fault.
        """
        if self.faults:
            count = "one fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            raise UsageError(f"`{name}` has {count}", faults=tuple(self.faults), hint=hint)


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {_kind(value)}")  # noqa: TRY004 - parsers raise ValueError
    return value


def whole(value: object) -> int:
    """An integer of zero or more."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be an integer, not {_kind(value)}")  # noqa: TRY004
    if value < 0:
        raise ValueError(f"must not be negative, but is {value}")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")  # noqa: TRY004
    return value


def moment(value: object) -> datetime:
    """A date with time, in UTC; one without an offset is taken to be UTC."""
    if not isinstance(value, datetime):
        raise ValueError(f"must be a date with time such as 2026-01-31T00:00:00Z, not {_kind(value)}")  # noqa: TRY004
    try:
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("must be a date that UTC has a year for") from None


def array(value: object) -> list[object]:
    """An array of anything."""
    if not isinstance(value, list):
        raise ValueError(f"must be an array, not {_kind(value)}")  # noqa: TRY004
    return value


def mapping(value: object) -> dict[str, object]:
    """A table of anything."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {_kind(value)}")  # noqa: TRY004
    return value


def of(build: Callable[[str], _T]) -> Callable[[object], _T]:
    """A parser of strings that a constructor (`Version`, `Marker`) reads."""
    return lambda value: build(text(value))


def one_of(enum: type[_E]) -> Callable[[object], _E]:
    """A parser of the values of a closed set."""

    def parse(value: object) -> _E:
        known = {member.value: member for member in enum}
        found = known.get(text(value))
        if found is None:
            raise ValueError(f"is `{value}`, not one of {', '.join(known)}")
        return found

    return parse


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a number"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return type(value).__name__
