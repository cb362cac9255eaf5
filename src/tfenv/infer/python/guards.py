"""Conditions on the running release: on which releases is `LooseVersion(tf.__version__) < LooseVersion("1.4")` true?

A small evaluator that knows the usual ways to compare versions computes them for each release. No code of the project
is run.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

from packaging.version import InvalidVersion, Version

from tfenv.infer.python.meanings import Flag, Text, VersionExpression
from tfenv.infer.uses import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfenv.infer.python.meanings import Value

VERSIONS: Final = frozenset(
    {"tf.__version__", "tf.VERSION", "tf.version.VERSION", "tf.compat.v1.VERSION", "tf.compat.v1.__version__"}
    | {"tf.compat.v2.__version__", "tf.compat.v1.version.VERSION", "tf.compat.v2.version.VERSION"}
)
"""Names that hold the version of TensorFlow as text."""

KERAS_VERSIONS: Final = frozenset(
    f"{root}.{name}"
    for root in ("tf.keras", "tf.compat.v1.keras", "tf.compat.v2.keras")
    for name in ("version", "__version__")
)
"""Names that hold the version of `tf.keras` as text, or return it."""

_PARSERS: Final = frozenset({"LooseVersion", "StrictVersion", "Version", "parse", "parse_version"})
_PLAIN: Final[dict[str, Callable[..., Any]]] = {"int": int, "float": float, "str": str, "len": len, "bool": bool}
_LISTS: Final = frozenset({"tuple", "list"})
_METHODS: Final = frozenset({"split", "startswith", "strip", "partition", "replace", "index", "find", "rsplit"})
_ASKING: Final = frozenset(
    {"hasattr", "find_spec", "find_loader", "find_module", "is_tf2", "is_tf_v2", "TYPE_CHECKING"}
)
_OPERATORS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_UNKNOWN: Final = Flag(0, 0)


class _Unsupported(Exception):
    """The evaluator does not know this kind of expression."""


class Guards:
    """Evaluates conditions.

    Args:
        releases: the release that represents each minor release, oldest first.
        paths: returns what an expression stands for, so that `tf.__version__` is found behind any alias.
        lookup: returns what a name stands for.
        keras: version of the Keras behind `tf.keras` in each of the releases; empty if unknown.
    """

    def __init__(
        self,
        releases: Sequence[Version],
        paths: Callable[[ast.expr], tuple[str, ...]],
        lookup: Callable[[str], Value | None],
        keras: Sequence[str] = (),
    ) -> None:
        self._releases = releases
        self._keras = dict(zip(releases, keras, strict=False))
        self._paths = paths
        self._lookup = lookup

    def condition(self, node: ast.expr) -> Flag | None:
        """On which releases a condition is true, and on which false; ``None`` if it does not depend on the release.

        Both masks are empty if it depends on the release but cannot be evaluated: the code under it then binds nowhere.
        """
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found = self.condition(node.operand)
            return None if found is None else Flag(found.false, found.true)
        if isinstance(node, ast.BoolOp):
            return self._joined(node)
        if isinstance(node, ast.Constant) and not node.value:
            return Flag(0, EVERYWHERE)  # `if False:` disables code
        if not self.asks(node):
            return self._constant(node)
        if isinstance(node, ast.Name):
            value = self._lookup(node.id)
            if isinstance(value, Flag):
                return value
        mask = 0
        try:
            for place, release in enumerate(self._releases):
                mask |= bool(self._value(node, release)) << place
        except (_Unsupported, InvalidVersion, TypeError, ValueError, LookupError, AttributeError):
            return _UNKNOWN
        return Flag(mask, ~mask)

    def _constant(self, node: ast.expr) -> Flag | None:
        """The condition if it is about strings that are written in the file, such as `required[0] == "2"`."""
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
        if not isinstance(node, ast.Compare) or not all(isinstance(self._lookup(name.id), Text) for name in names):
            return None
        try:
            return Flag(EVERYWHERE, 0) if self._value(node, self._releases[-1]) else Flag(0, EVERYWHERE)
        except (_Unsupported, InvalidVersion, TypeError, ValueError, LookupError, AttributeError):
            return None

    def asks(self, node: ast.expr) -> bool:
        """Whether an expression depends on the release, or on which modules and attributes exist."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                if part.id in _ASKING or isinstance(self._lookup(part.id), (VersionExpression, Flag)):
                    return True
                if self._keras and self._is_of_keras(part):
                    return True
            elif isinstance(part, ast.Attribute):
                if part.attr in _ASKING or (part.attr in ("__version__", "VERSION") and self._paths(part)):
                    return True
                if self._keras and self._is_of_keras(part):
                    return True
                if part.attr == "enabled" and any(path.startswith("tf.python.tf2") for path in self._paths(part.value)):
                    return True
        return False

    def _is_version(self, node: ast.expr) -> bool:
        return any(path in VERSIONS for path in self._paths(node))

    def _is_of_keras(self, node: ast.expr) -> bool:
        return any(path in KERAS_VERSIONS for path in self._paths(node))

    def _joined(self, node: ast.BoolOp) -> Flag | None:
        conditions = [self.condition(operand) for operand in node.values]
        known = [condition for condition in conditions if condition is not None]
        if not known:
            return None
        if _UNKNOWN in known:
            return _UNKNOWN
        conjunction, disjunction = EVERYWHERE, 0
        is_and = isinstance(node.op, ast.And)
        for condition in known:
            conjunction &= condition.true if is_and else condition.false
            disjunction |= condition.false if is_and else condition.true
        if len(known) < len(conditions):  # the operands that do not depend on the release may be false on any
            disjunction = EVERYWHERE
        return Flag(conjunction, disjunction) if is_and else Flag(disjunction, conjunction)

    def _value(self, node: ast.expr, release: Version) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if isinstance(bound := self._lookup(node.id), VersionExpression):
                return self._value(bound.node, release)
            case ast.Name() if isinstance(bound := self._lookup(node.id), Text):
                return bound.value
            case ast.Name() | ast.Attribute() if self._keras and self._is_of_keras(node):
                return self._keras[release]
            case ast.Attribute() if self._is_version(node):
                return str(release)
            case ast.Attribute(attr="major" | "minor" | "micro" | "release"):
                return getattr(self._value(node.value, release), node.attr)
            case ast.Attribute(attr="version"):
                return self._value(node.value, release).release
            case ast.UnaryOp(op=ast.Not()):
                return not self._value(node.operand, release)
            case ast.Tuple() | ast.List():
                return tuple(self._value(one, release) for one in node.elts)
            case ast.Subscript():
                return self._item(node, release)
            case ast.Compare():
                return self._compared(node, release)
            case ast.Call():
                return self._called(node, release)
            case ast.ListComp() | ast.GeneratorExp() if _turns_to_int(node.elt):
                return tuple(int(one) for one in self._value(node.generators[0].iter, release))
            case _:
                raise _Unsupported

    def _item(self, node: ast.Subscript, release: Version) -> Any:
        value, part = self._value(node.value, release), node.slice
        if isinstance(part, ast.Slice):
            lower, upper = (None if one is None else self._value(one, release) for one in (part.lower, part.upper))
            return value[lower:upper]
        return value[self._value(part, release)]

    def _compared(self, node: ast.Compare, release: Version) -> bool:
        left = self._value(node.left, release)
        for operation, one in zip(node.ops, node.comparators, strict=True):
            right = self._value(one, release)
            if type(operation) not in _OPERATORS:
                raise _Unsupported
            if isinstance(left, Version) != isinstance(right, Version):
                left, right = (one if isinstance(one, Version) else Version(one) for one in (left, right))
            exact = isinstance(operation, (ast.Eq, ast.NotEq))
            if exact and any(isinstance(side, (str, Version)) and str(side).count(".") > 1 for side in (left, right)):
                raise _Unsupported  # the comparison is with one patch release; others of the same minor release differ
            if not _OPERATORS[type(operation)](left, right):
                return False
            left = right
        return True

    def _called(self, node: ast.Call, release: Version) -> Any:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if self._keras and self._is_of_keras(function):
            return self._keras[release]
        if isinstance(function, ast.Attribute) and name in _METHODS:
            given = [self._value(one, release) for one in node.args]
            return getattr(str(self._value(function.value, release)), name)(*given)
        if name == "map" and len(node.args) == 2 and getattr(node.args[0], "id", "") == "int":
            return tuple(int(one) for one in self._value(node.args[1], release))
        if len(node.args) != 1:
            raise _Unsupported
        value = self._value(node.args[0], release)
        if name in _PARSERS:
            return Version(value)
        if name in _LISTS:
            return tuple(value)
        if name in _PLAIN:
            return _PLAIN[name](value)
        raise _Unsupported


def _turns_to_int(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int"
