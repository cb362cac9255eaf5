"""The names of a file and what each stands for, scope within scope."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tfenv.infer.python.meanings import either

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfenv.infer.python.meanings import Paths, Value


class Scopes:
    """The scopes around the statement that is being read.

    Attributes:
        stack: one mapping of names per scope; the outermost comes first. `self.x` is kept as a name of its own.
        stars: paths that `import *` took names from; `OTHER` for modules outside TensorFlow and Keras.
    """

    def __init__(self) -> None:
        self.stack: list[dict[str, Value]] = [{}]
        self.stars: list[str] = []

    @property
    def innermost(self) -> dict[str, Value]:
        """The names of the scope being read."""
        return self.stack[-1]

    @innermost.setter
    def innermost(self, names: dict[str, Value]) -> None:
        self.stack[-1] = names

    def lookup(self, name: str) -> Value | None:
        """What a name stands for; ``None`` if no scope binds it."""
        for scope in reversed(self.stack):
            if name in scope:
                return scope[name]
        return None

    def paths(self, node: ast.expr) -> Paths:
        """The paths that a dotted name may stand for; nothing is recorded as used."""
        if isinstance(node, ast.Name):
            value = self.lookup(node.id)
            return value if isinstance(value, tuple) else ()
        if isinstance(node, ast.Attribute):
            return tuple(f"{path}.{node.attr}" for path in self.paths(node.value))
        return ()

    def bind(self, target: ast.expr, value: Value, read: Callable[[ast.expr], object]) -> None:
        """Give a value to the target of an assignment.

        Args:
            target: left side of the assignment.
            value: what the right side stands for.
            read: called with the part of a target that is read and not bound, such as `x` in `x[0] = …`.
        """
        if isinstance(target, ast.Name):
            self.innermost[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element, (), read)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, (), read)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            key = f"{target.value.id}.{target.attr}"
            for scope in reversed(self.stack):
                if f"{target.value.id}." in scope:
                    scope[key] = value if key not in scope else either((scope[key], value))
                    break
            else:
                read(target.value)
        else:
            read(target)

    def merge(self, before: dict[str, Value], branches: Iterable[dict[str, Value]]) -> None:
        """Set the innermost scope to what follows a fork: each name stands for any of its values in the branches."""
        branches = list(branches)
        merged = dict(before)
        for name in dict.fromkeys(name for branch in branches for name in branch):
            merged[name] = either([branch[name] for branch in branches if name in branch])
        self.innermost = merged
