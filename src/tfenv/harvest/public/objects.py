"""What a name of a module can stand for, as far as reading tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ast


@dataclass(frozen=True, slots=True)
class Module:
    """A module, by its dotted name. `link` is set if it belongs to a package that is read by its own releases."""

    name: str
    link: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function, of whose parameters the first so many (`given`) are filled in already."""

    module: str
    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    given: int = 0


@dataclass(frozen=True, slots=True)
class Class:
    """A class; without `node` only a program makes it (protocol buffers, C++), or it is a named tuple of `fields`."""

    module: str
    name: str
    node: ast.ClassDef | None = None
    fields: tuple[str, ...] | None = None
    bases: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """An attribute that a class computes."""


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else, of which only that it exists is known; `future` is a feature of `__future__`."""

    future: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """What another module calls by this name; looked up when it is needed."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of something; looked up when it is needed."""

    of: Value
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a call gave: an instance of a class, or else the last of these arguments that can be called, wrapped.

    Of `functools.partial`, `given` is how many parameters it filled in by position.
    """

    by: Value | None
    arguments: tuple[Value, ...]
    given: int = 0
    partial: bool = False


Value: TypeAlias = "Module | Function | Class | Property | Other | Ref | Attribute | Made"
