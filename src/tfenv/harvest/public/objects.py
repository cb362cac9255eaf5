"""Objects that a name of a module can refer to, as far as they can be read from source."""

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
    """A function; the first `given` of its parameters are bound already."""

    module: str
    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    given: int = 0


@dataclass(frozen=True, slots=True)
class Class:
    """A class; without `node` it has no source (protocol buffers, C++), or is a named tuple of `fields`."""

    module: str
    name: str
    node: ast.ClassDef | None = None
    fields: tuple[str, ...] | None = None
    bases: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a class."""


@dataclass(frozen=True, slots=True)
class Other:
    """An object about which only its existence is known; `future` marks a feature of `__future__`."""

    future: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in another module; looked up when it is needed."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an object; looked up when it is needed."""

    of: Value
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """The result of a call: an instance of a class, otherwise the last callable argument, wrapped.

    `given` counts the parameters that `functools.partial` binds by position.
    """

    by: Value | None
    arguments: tuple[Value, ...]
    given: int = 0
    partial: bool = False


Value: TypeAlias = "Module | Function | Class | Property | Other | Ref | Attribute | Made"
