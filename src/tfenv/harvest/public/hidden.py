"""Modules that are not public but can be imported: those of Keras up to 2.12, such as `keras.layers.core`.

Since 2.13 the code of Keras is in `keras.src`, and everything else is public. TensorFlow's own Keras is in
`tensorflow.python.keras`; since 2.6 that is a copy which is not public.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tfenv.harvest.public.objects import Class, Function, Module, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.harvest.public.bindings import Names
    from tfenv.harvest.public.objects import Value

_LEFT_OUT = re.compile(
    r"\._|\bkeras\.(api|protobuf)(\.|$)|(^|\.)(\w*_tests?|tests|\w*benchmarks?|\w*_benchmark_\w*)(\.|$)"
)
"""Modules that are generated or test Keras itself."""

_OWN_KERAS = "tensorflow.python.keras"
_OURS = re.compile(r"keras(_applications|_preprocessing)?(\.|$)|tensorflow\.(.*\.)?keras(\.|$)")


def inner_modules(names: Names, root: str) -> tuple[str, ...]:
    """The modules below a package that an import can reach; none if the package has a separate folder for its code."""
    if root == "tensorflow":
        found = ("tensorflow.python", _OWN_KERAS, *names.world.below(_OWN_KERAS)) if _OWN_KERAS in names.world else ()
    else:
        found = () if "keras.src" in names.world else names.world.below(root)
    return tuple(name for name in found if not _LEFT_OUT.search(name) and _imports(names, name))


def inner_names(names: Names, module: str) -> Iterator[tuple[str, Value]]:
    """The names of a module that belong to Keras: functions, classes, and values made here or imported from Keras."""
    for name, raw in names.space(module).names.items():
        value = names.resolve(raw)
        if name.startswith("_") or isinstance(value, Module):
            continue
        source = value if isinstance(value, (Class, Function)) else raw
        if _OURS.match(source.module if isinstance(source, (Class, Function, Ref)) else module):
            yield name, value


def _imports(names: Names, module: str) -> bool:
    """Whether everything a module imports from Keras exists there (not so in `keras.legacy.models` of 2.2.4)."""
    space = names.space(module)
    for statement in names.world.parse(module).body:
        for alias in statement.names if isinstance(statement, ast.ImportFrom) else ():
            raw = space.names.get(alias.asname or alias.name)
            if not isinstance(raw, Ref) or raw.name != alias.name or not raw.module.startswith("keras."):
                continue
            if raw.module in names.world and names.attribute(raw.module, raw.name) is None:
                return False
    return True
