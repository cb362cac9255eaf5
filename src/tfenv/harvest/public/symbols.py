"""The public symbols of a release, read from its wheels: modules, their contents, members of classes.

A name is public if it has no leading underscore (except `__version__` and similar, `__internal__` and `__operators__`)
and can be reached from the package. A module counts where it is part of the tree (generated API, a child of the module
that exports it, or named by `__all__` or `remove_undocumented`), not where an implementation happens to import it.

Keras up to 2.12 has its code next to its public modules, where anybody can import it (`keras.layers.core`). These
modules are included as inner ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.harvest.public.bindings import PACKAGES, Names
from tfenv.harvest.public.classes import Classes, signature
from tfenv.harvest.public.hidden import inner_modules, inner_names
from tfenv.harvest.public.objects import Class, Function, Module, Other, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.harvest.public.objects import Value
    from tfenv.harvest.public.trees import ModuleTrees

_DUNDERS = {
    "__version__",
    "__git_version__",
    "__compiler_version__",
    "__cxx11_abi_flag__",
    "__cxx_version__",
    "__monolithic_build__",
    "__internal__",
    "__operators__",
    "_tf_keras",  # what TensorFlow exports as `tf.keras`
}
_GENERATED = re.compile(r"(^|\.)(_api|api|_tf_keras)(\.|$)|^tensorflow$|^keras$|^tf_keras$|^tensorflow\.tools\.api\.")
_ENDLESS = re.compile(r"(^|\.)compat\.v[12]\.(.*\.)?compat\.v[12]$")
_SKIPPED = {
    "tensorflow.python",
    "tensorflow.core",
    "tensorflow.compiler",
    "tensorflow.tools",
    "tensorflow.dtensor",
    "tensorflow.python.pywrap_tensorflow",
    "keras.src",
}
_DEPTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """One public name of one release.

    Attributes:
        kind: letter of `tfenv.symbols.rows.KINDS`, or `@` for the root of a package that has rows of its own.
        module: module that defines it; empty for members of a class and where it is not known.
        thing: key that two names of one object share; empty for members of a class.
        parameters: parameters with stars; ``None`` if it is not callable or they are not known.
        lineage: `thing` of each base class of a class, nearest first.
        inner: whether it is, or is in, a module that can be imported but is not public.
    """

    kind: str
    module: str = ""
    thing: str = ""
    parameters: tuple[str, ...] | None = None
    lineage: tuple[str, ...] = ()
    inner: bool = False


def symbols(
    world: ModuleTrees, root: str, *, python: tuple[int, int], linked: frozenset[str] = frozenset()
) -> dict[str, Symbol]:
    """All public symbols below a package, by name relative to it.

    Args:
        world: modules of all wheels that the release consists of.
        root: package, such as `tensorflow`.
        python: version of Python that the wheel is for.
        linked: packages that have rows of their own.
    """
    return _Walk(Names(world, python=python, linked=linked)).all(root)


class _Walk:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._classes = Classes(names)
        self._found: dict[str, Symbol] = {}

    def all(self, root: str) -> dict[str, Symbol]:
        self._module(root, "", frozenset())
        shown, self._found = self._found, {}
        modules = {name for name, one in shown.items() if one.kind == "m"}
        for module in inner_modules(self._names, root):
            path = module.removeprefix(f"{root}.")
            if path not in modules:
                self._found[path] = Symbol(kind="m", module=module, thing=module)
                for name, value in inner_names(self._names, module):
                    self._name(module, name, value, f"{path}.{name}")
        return shown | {name: replace(one, inner=True) for name, one in self._found.items() if name not in shown}

    def _module(self, module: str, path: str, above: frozenset[str]) -> None:
        if len(above) > _DEPTH:
            return
        space = self._names.space(module)
        for name in self._public(module):
            value = self._names.resolve(space.names[name]) if name in space.names else Module(f"{module}.{name}")
            there = f"{path}.{name}" if path else name
            if isinstance(value, Module):
                if value.link:
                    self._found[there] = Symbol(kind="@", module=value.name)
                elif self._shown(module, name, value) and value.name not in above and not _ENDLESS.search(there):
                    self._found[there] = Symbol(kind="m", module=value.name, thing=value.name)
                    self._module(value.name, there, above | {value.name})
            else:
                self._name(module, name, value, there)

    def _name(self, module: str, name: str, value: Value, there: str) -> None:
        """Add a name of a module that is not itself a module."""
        if isinstance(value, Class):
            self._class(value, there)
        elif isinstance(value, Function):
            self._found[there] = Symbol(
                kind="f",
                module=value.module,
                thing=f"{value.module}:{value.name}" if value.name != "<lambda>" else "",
                parameters=signature(value),
            )
        elif not (isinstance(value, Other) and value.future):
            raw = self._names.space(module).names[name]
            self._found[there] = Symbol(kind="v", module=raw.module if isinstance(raw, Ref) else module)

    def _public(self, module: str) -> Iterator[str]:
        """Names of a module, and its submodules in the generated tree next to it (Keras 2.6 to 2.12)."""
        world, beside = self._names.world, set[str]()
        if module.partition(".")[0] == "keras":
            beside = {name for name in world.children(f"keras.api._v2.{module}") if f"{module}.{name}" in world}
        space = self._names.space(module)
        for name in sorted({*space.names, *beside}):
            if space.left is not None and name not in space.left:
                continue
            if not name.startswith("_") or name in _DUNDERS:
                yield name

    def _shown(self, module: str, name: str, value: Module) -> bool:
        """Whether a module that another one refers to is part of what that one exports."""
        if (
            value.name in _SKIPPED
            or value.name.partition(".")[0] not in PACKAGES
            or value.name not in self._names.world
        ):
            return False
        space = self._names.space(module)
        if _GENERATED.search(module) or space.cleaned or name in space.given or name in (space.listed or ()):
            return True
        raw = space.names.get(name)
        if name in space.brought and isinstance(raw, Ref) and _GENERATED.search(raw.module):
            return True
        return value.name.startswith(f"{module}.")

    def _class(self, value: Class, path: str) -> None:
        order = self._classes.order(value)
        self._found[path] = Symbol(
            kind="c" if self._classes.complete(value) else "C",
            module=value.module,
            thing=_thing(value),
            parameters=self._classes.parameters(value),
            lineage=tuple(_thing(one) for one in order[1:]),
        )
        for name, member in self._classes.members(value).items():
            self._found[f"{path}.{name}"] = Symbol(kind=member.kind, parameters=member.parameters)


def _thing(value: Class) -> str:
    return f"{value.module}:{value.name}"
