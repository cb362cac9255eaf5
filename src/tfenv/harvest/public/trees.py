"""The Python modules of some wheels, parsed on first use; nothing is imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DATA = re.compile(r"[^/]+\.data/(?:pure|plat)lib/")


class Sources:
    """Parsed modules by content. It outlives a `ModuleTrees`, because patch releases share most of their modules.

    Bodies of functions are dropped: only names and signatures matter here. If a module updates its `globals()` from
    functions, their calls and assignments to subscripts (`objects["he_normal"] = …`) are kept.
    """

    def __init__(self) -> None:
        self._held: dict[bytes, ast.Module] = {}
        self._used: set[bytes] = set()

    def parse(self, source: bytes) -> ast.Module:
        """The module; an empty one if the text is not valid Python 3 (a template, Python 2)."""
        key = blake2b(source, digest_size=16).digest()
        self._used.add(key)
        if key not in self._held:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # "invalid escape sequence" in other people's code
                    module = ast.parse(source)
            except (SyntaxError, ValueError):
                module = ast.Module(body=[], type_ignores=[])
            filling = b"globals().update(" in source
            for node in ast.walk(module):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    node.inner = _inner(node)  # type: ignore[union-attr]
                    node.body = [one for one in ast.walk(node) if _makes(one)] if filling else []
            self._held[key] = module
        return self._held[key]

    def forget(self) -> None:
        """Drop modules that were not used since the last call."""
        self._held = {key: module for key, module in self._held.items() if key in self._used}
        self._used = set()


class ModuleTrees:
    """Modules by dotted name.

    `tensorflow_core` (1.15 to 2.1) is named `tensorflow`, the package that forwards to it.
    """

    def __init__(self, archives: Iterable[Mapping[str, bytes]], sources: Sources | None = None) -> None:
        self._sources = sources or Sources()
        self._files: dict[str, bytes] = {}
        self._packages: set[str] = set()
        for archive in archives:
            core = any(name.startswith("tensorflow_core/") for name in archive)
            for name, data in archive.items():
                path = plain(name)
                if core and path == "tensorflow/__init__.py":
                    continue
                self._add(path, data)

    def __contains__(self, module: str) -> bool:
        return module in self._files or module in self._packages

    def home(self, module: str) -> str:
        """The file of a module; TensorFlow adds the folder of its generated API to its `__path__`."""
        package, _, rest = module.partition(".")
        if package == "tensorflow" and rest and module not in self:
            for api in ("tensorflow._api.v2", "tensorflow._api.v1"):
                if f"{api}.{rest}" in self:
                    return f"{api}.{rest}"
        return module

    def is_package(self, module: str) -> bool:
        """Whether a module is a package."""
        return module in self._packages

    def children(self, module: str) -> tuple[str, ...]:
        """The names of the modules directly in a package."""
        start = f"{module}."
        below = {name[len(start) :] for name in (*self._files, *self._packages) if name.startswith(start)}
        return tuple(sorted(name for name in below if name and "." not in name))

    def below(self, package: str) -> tuple[str, ...]:
        """All modules in a package, at any depth, that have a file."""
        return tuple(sorted(name for name in self._files if name.startswith(f"{package}.")))

    def parse(self, module: str) -> ast.Module:
        """The parsed module; an empty one if it has no file."""
        return self._sources.parse(self._files.get(module, b""))

    def _add(self, path: str, data: bytes) -> None:
        if not path.endswith(".py"):
            return
        parts = path.removesuffix(".py").split("/")
        if parts[0] == "tensorflow_core":
            parts[0] = "tensorflow"
        package = parts[-1] == "__init__"
        if package:
            parts.pop()
            self._packages.add(".".join(parts))
        if (
            package or ".".join(parts) not in self._packages
        ):  # if both exist, an import finds the package (Keras 2.4.0 to 2.4.2)
            self._files[".".join(parts)] = data
        for stop in range(1, len(parts)):
            self._packages.add(".".join(parts[:stop]))


def plain(member: str) -> str:
    """The path of a member of a wheel once it is installed."""
    return _DATA.sub("", member, count=1)


def _makes(node: ast.AST) -> TypeGuard[ast.stmt]:
    """Whether a statement assigns to a subscript or is a call."""
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Subscript)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _inner(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.FunctionDef | None:
    """The inner function that a function returns unchanged, without `functools.wraps`."""
    if not node.body or not isinstance(node.body[-1], ast.Return) or not isinstance(node.body[-1].value, ast.Name):
        return None
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == node.body[-1].value.id:
            bare = not any("wraps" in ast.unparse(one) for one in statement.decorator_list)
            renamed = any(isinstance(one, ast.Assign) and "__signature__" in ast.unparse(one) for one in node.body)
            return statement if bare and not renamed and not statement.args.vararg else None
    return None
