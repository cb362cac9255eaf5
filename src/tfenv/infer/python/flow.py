"""Where control goes: questions about statements and conditions that need no names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ENDS: Final = frozenset({"exit", "_exit", "abort", "quit"})
"""Functions that end the program, by the last part of their names."""

_TESTS: Final = frozenset({"hasattr", "startswith", "find_spec", "bool", "enabled"})
"""Functions that return a truth value, by the last part of their names."""

_PYTHON_VERSIONS: Final = frozenset({"version_info", "PY2", "PY3"})
_PYTHON_ATTRIBUTES: Final = _PYTHON_VERSIONS | {"version", "hexversion"}


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether control never reaches the end of a block."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return leaves(last.body)
    return isinstance(last, (ast.Raise, ast.Return, ast.Continue, ast.Break)) or _exits(last)


def refuses(body: Sequence[ast.stmt]) -> bool:
    """Whether a block ends by raising an error or by ending the program."""
    return bool(body) and (isinstance(body[-1], ast.Raise) or _exits(body[-1]))


def _exits(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func) in _ENDS


def is_test(node: ast.expr) -> bool:
    """Whether an expression gives true or false."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in _TESTS
    return isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def is_main(node: ast.expr) -> bool:
    """Whether a condition compares `__name__`, as `if __name__ == "__main__"` does."""
    return isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "__name__"


def asks_python(node: ast.expr) -> bool:
    """Whether a condition depends on the version of the running Python."""
    return any(
        (isinstance(part, ast.Attribute) and part.attr in _PYTHON_ATTRIBUTES)
        or (isinstance(part, ast.Name) and part.id in _PYTHON_VERSIONS)
        for part in ast.walk(node)
    )


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty for any other expression."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def expressions(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    """All expressions in a block, nested ones included."""
    return (part for statement in body for part in ast.walk(statement) if isinstance(part, ast.expr))


def parameters(arguments: ast.arguments) -> list[str]:
    """The names of a function's parameters; that of the instance comes first."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [argument.arg for argument in every]
