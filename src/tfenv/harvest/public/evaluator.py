"""Values of the expressions of a module, such as `LazyLoader(…)`, `getattr(…)` and calls that wrap a function."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Protocol

from tfenv.harvest.public.objects import Attribute, Class, Function, Made, Module, Other, Property

if TYPE_CHECKING:
    from tfenv.harvest.public.objects import Value
    from tfenv.harvest.public.space import Space
    from tfenv.harvest.public.trees import ModuleTrees

_PASS_THROUGH = {"func_or_class", "func", "target"}


class Surroundings(Protocol):
    """The names of all modules, as the statements of one module see them; `Names` implements it."""

    world: ModuleTrees
    python: tuple[int, int]
    linked: frozenset[str]
    added: dict[tuple[str, str], dict[str, Value]]

    def space(self, module: str) -> Space:
        """The names of a module; while the module is being followed, those known so far."""

    def attribute(self, module: str, name: str) -> Value | None:
        """The object with this name in a module."""

    def resolve(self, value: Value) -> Value:
        """The object itself, behind imports, other names and decorators."""


class Evaluator:
    """Evaluator of the expressions of one module, as far as its names are known."""

    def __init__(self, names: Surroundings, module: str, space: Space, docstring: str) -> None:
        self._all = names
        self._module = module
        self._space = space
        self._names = space.names
        self._docstring = docstring
        self._strings: dict[str, str] = {}  # strings that the module names: `_keras_module = "…"`
        self._switches: dict[str, bool | None] = {}  # the same for `TRY_IMPORT_SKLEARN = os.environ.get(…)`
        package = names.world.is_package(module)
        self._package = module if package else module.rpartition(".")[0]

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, Other())
        if isinstance(node, ast.Attribute):
            return Attribute(self.value(node.value), node.attr)
        if isinstance(node, ast.Lambda):
            return Function(self._module, "<lambda>", node)
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Subscript):
            text = ast.unparse(node)
            if re.fullmatch(r"_?sys\.modules\[__name__\]", text):
                return Module(self._module)
        if isinstance(node, ast.IfExp):
            return self.value(node.body)
        return Other()

    def _called(self, node: ast.Call) -> Value:
        function = ast.unparse(node.func) if not isinstance(node.func, ast.Call) else ""
        last = function.rpartition(".")[2].lstrip("_")
        if last == "LazyLoader" and len(node.args) >= 3:
            return self._lazy(node.args[2])
        if last == "KerasLazyLoader":
            return self._keras(node)
        if last == "getattr" and len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
            return Attribute(self.value(node.args[0]), str(node.args[1].value))
        if last in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            return self._module_value(str(node.args[0].value))
        if last == "namedtuple" and len(node.args) >= 2:
            return Class(self._module, f"namedtuple {string(node.args[0])}", fields=_fields(node.args[1]))
        if last in ("NamedTuple", "GeneratedProtocolMessageType") and node.args:
            return Class(self._module, string(node.args[0]) or last)
        if last == "EnumTypeWrapper":
            return Other()
        if last == "property":
            return Property()
        if last == "partial" and node.args:
            return Made(None, (self.value(node.args[0]),), len(node.args) - 1, partial=True)
        by = self.value(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else None
        wrapped = [*node.args, *(one.value for one in node.keywords if one.arg in _PASS_THROUGH)]
        candidates = [one for one in wrapped if isinstance(one, (ast.Name, ast.Attribute, ast.Call, ast.Lambda))]
        return Made(by, tuple(map(self.value, candidates)))

    def _lazy(self, node: ast.expr) -> Value:
        """A module that is imported later."""
        name = self._text(node)
        if name is None:
            return Other()
        if name.startswith("tensorflow_core"):
            name = f"tensorflow{name.removeprefix('tensorflow_core')}"
        return Module(name, link=self._linked(name))

    def _keras(self, node: ast.Call) -> Value:
        """Keras, as `KerasLazyLoader` of `tensorflow/python/util/lazy_loader.py` chooses it."""
        given = {one.arg: self._text(one.value) for one in node.keywords if one.arg}
        mode = "_v1" if given.get("mode") == "v1" else "_v2"
        if self._linked("keras"):
            package = "keras._tf_keras.keras"
            if (given.get("submodule") or "").startswith("__internal__.legacy."):
                return Other()
        else:
            package = f"keras.api.{mode}.keras"
        name = ".".join(filter(None, (package, given.get("submodule"))))
        return Module(name, link=self._linked(name))

    def _module_value(self, name: str) -> Value:
        return Module(self._all.world.home(name), link=name in self._all.linked)

    def _linked(self, name: str) -> bool:
        return any(name == one or name.startswith(f"{one}.") for one in self._all.linked)

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._strings.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._text(node.left), self._text(node.right)
            return None if left is None or right is None else left + right
        return string(node)


def string(node: ast.expr) -> str | None:
    """The text of a string literal; ``None`` for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fields(node: ast.expr) -> tuple[str, ...] | None:
    text = string(node)
    if text is not None:
        return tuple(text.replace(",", " ").split())
    if isinstance(node, (ast.List, ast.Tuple)):
        return tuple(found for one in node.elts if (found := string(one)) is not None)
    return None
