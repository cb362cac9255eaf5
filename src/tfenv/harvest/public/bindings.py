"""The objects that the names of all modules refer to, through imports, other names and decorators."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tfenv.harvest.public.objects import Attribute, Class, Function, Made, Module, Other, Ref
from tfenv.harvest.public.space import Space
from tfenv.harvest.public.statements import FUNCTIONS, Follower

if TYPE_CHECKING:
    from tfenv.harvest.public.objects import Value
    from tfenv.harvest.public.trees import ModuleTrees

_HOPS = 40
PACKAGES = frozenset({"tensorflow", "keras", "tf_keras", "tensorflow_estimator", "tensorboard"})
"""Packages whose modules are part of an API; others (`absl`) only contribute names to it."""


class Names:
    """The names of all modules of a world.

    Attributes:
        added: attributes set on a class (by module and name) after its definition: `Supervisor.Stop = Supervisor.stop`.
    """

    def __init__(
        self, world: ModuleTrees, *, python: tuple[int, int] = (3, 7), linked: frozenset[str] = frozenset()
    ) -> None:
        self.world = world
        self.python = python
        self.linked = linked
        self._spaces: dict[str, Space] = {}
        self._resolved: dict[Value, Value] = {}
        self._following = 0
        self.added: dict[tuple[str, str], dict[str, Value]] = {}

    def space(self, module: str) -> Space:
        """The names of a module; while the module is being followed, those known so far."""
        if module not in self._spaces:
            space = self._spaces[module] = Space()
            tree = self.world.parse(module)
            self._following += 1
            Follower(self, module, space, ast.get_docstring(tree, clean=True) or "").run(tree.body)
            self._following -= 1
        return self._spaces[module]

    def attribute(self, module: str, name: str) -> Value | None:
        """The object with this name in a module, submodules included; ``None`` if there is none."""
        if module in self.world:
            found = self.space(module).names.get(name)
            if found is not None and found != Ref(module, name):
                return found
            if f"{module}.{name}" in self.world:
                return Module(f"{module}.{name}")
        return None

    def value(self, module: str, node: ast.expr) -> Value:
        """The value of an expression at the end of a module."""
        return Follower(self, module, self.space(module), "").value(node)

    def resolve(self, value: Value) -> Value:
        """The object itself, behind imports, other names and decorators."""
        if not isinstance(value, (Ref, Attribute, Made)):
            return value
        found = self._resolved.get(value)
        if found is None:
            found = self._look(value, _HOPS)
            if not self._following:  # otherwise names may still be missing
                self._resolved[value] = found
        return found

    def _look(self, value: Value, hops: int) -> Value:
        seen: list[Value] = []
        while hops:
            hops -= 1
            if value in seen:  # modules that import the name from each other: it is a submodule of one of them
                wholes = [f"{one.module}.{one.name}" for one in seen if isinstance(one, Ref)]
                return next((Module(whole) for whole in wholes if whole in self.world), Other())
            seen.append(value)
            if isinstance(value, Ref):
                found = self.attribute(value.module, value.name)
            elif isinstance(value, Attribute):
                found = self._member(self._look(value.of, hops), value.name)
            elif isinstance(value, Made):
                return self._wrapped(value, hops)
            else:
                return value
            if found is None:
                return self._missing(value, hops)
            value = found
        return Other()

    def _wrapped(self, value: Made, hops: int) -> Value:
        by = None if value.by is None else self._look(value.by, hops)
        if isinstance(by, Class):
            return Other()
        if isinstance(by, Function) and (inner := getattr(by.node, "inner", None)) is not None:
            return Function(by.module, f"{by.name}.{inner.name}", inner)
        for argument in reversed(value.arguments):
            found = self._look(argument, hops)
            if isinstance(found, Class) and value.partial:
                return Other()
            if isinstance(found, Function) and value.given:
                return Function(found.module, found.name, found.node, found.given + value.given)
            if isinstance(found, (Function, Class)):
                return found
        return Other()

    def _member(self, owner: Value, name: str) -> Value | None:
        if isinstance(owner, Module):
            return self.attribute(owner.name, name)
        if isinstance(owner, Class) and owner.node is not None:
            for statement in owner.node.body:
                if isinstance(statement, (*FUNCTIONS, ast.ClassDef)) and statement.name == name:
                    if isinstance(statement, ast.ClassDef):
                        return Class(owner.module, f"{owner.name}.{name}", statement)
                    return Function(owner.module, f"{owner.name}.{name}", statement)
                if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
                    return self.value(owner.module, statement.value)
        return None

    def _missing(self, value: Value, hops: int) -> Value:
        """An object that no Python file here defines: a protocol buffer, or one from C++ or another package."""
        module = name = ""
        if isinstance(value, Ref):
            module, name = value.module, value.name
        elif isinstance(value, Attribute):
            owner = self._look(value.of, hops)
            module, name = owner.name if isinstance(owner, Module) else "", value.name
        if module.partition(".")[0] not in PACKAGES or not name[:1].isupper() or name.isupper():
            return Other()
        return Class(module, name)
