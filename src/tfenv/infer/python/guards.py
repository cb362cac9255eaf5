"""Conditions on the release at hand: on which releases is `LooseVersion(tf.__version__) < LooseVersion("1.4")` true?

They are worked out for each release by a small evaluator that knows the few ways in which versions are compared.
Nothing is run.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

from packaging.version import InvalidVersion, Version

from tfenv.infer.python.values import Flag, Told
from tfenv.infer.uses import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfenv.infer.python.values import Value

VERSIONS: Final = frozenset(
    {"tf.__version__", "tf.VERSION", "tf.version.VERSION", "tf.compat.v1.VERSION", "tf.compat.v1.__version__"}
    | {"tf.compat.v2.__version__", "tf.compat.v1.version.VERSION", "tf.compat.v2.version.VERSION"}
)
"""What holds the version of TensorFlow as text."""

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
_UNTOLD: Final = Flag(0, 0)


class _Unclear(Exception):
    """This cannot be worked out."""


class Guards:
    """Works out conditions.

    Args:
        releases: for each minor release the one that stands for it, oldest first.
        paths: what an expression stands for, so that `tf.__version__` is found behind any alias.
        lookup: what a name stands for.
    """

    def __init__(
        self,
        releases: Sequence[Version],
        paths: Callable[[ast.expr], tuple[str, ...]],
        lookup: Callable[[str], Value | None],
    ) -> None:
        self._releases = releases
        self._paths = paths
        self._lookup = lookup

    def condition(self, node: ast.expr) -> Flag | None:
        """Where a condition is true and where it is false; ``None`` if it asks nothing of the release.

        Both are empty if it asks something that cannot be worked out: what it guards binds nowhere.
        """
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found = self.condition(node.operand)
            return None if found is None else Flag(found.false, found.true)
        if isinstance(node, ast.BoolOp):
            return self._joined(node)
        if isinstance(node, ast.Constant) and not node.value:
            return Flag(0, EVERYWHERE)  # `if False:` switches something off
        if not self.asks(node):
            return None
        if isinstance(node, ast.Name):
            value = self._lookup(node.id)
            if isinstance(value, Flag):
                return value
        mask = 0
        try:
            for place, release in enumerate(self._releases):
                mask |= bool(self._value(node, release)) << place
        except (_Unclear, InvalidVersion, TypeError, ValueError, LookupError, AttributeError):
            return _UNTOLD
        return Flag(mask, ~mask)

    def asks(self, node: ast.expr) -> bool:
        """Has it to do with the release, or with what is there?"""
        for one in ast.walk(node):
            if isinstance(one, ast.Name):
                if one.id in _ASKING or isinstance(self._lookup(one.id), (Told, Flag)):
                    return True
            elif isinstance(one, ast.Attribute):
                if one.attr in _ASKING or (one.attr in ("__version__", "VERSION") and self._is_version(one)):
                    return True
                if one.attr == "enabled" and any(path.startswith("tf.python.tf2") for path in self._paths(one.value)):
                    return True
        return False

    def _is_version(self, node: ast.expr) -> bool:
        return any(path in VERSIONS for path in self._paths(node))

    def _joined(self, node: ast.BoolOp) -> Flag | None:
        found = [self.condition(one) for one in node.values]
        known = [one for one in found if one is not None]
        if not known:
            return None
        if _UNTOLD in known:
            return _UNTOLD
        conjunction, disjunction = EVERYWHERE, 0
        is_and = isinstance(node.op, ast.And)
        for one in known:
            conjunction &= one.true if is_and else one.false
            disjunction |= one.false if is_and else one.true
        if len(known) < len(found):  # the rest may be false anywhere
            disjunction = EVERYWHERE
        return Flag(conjunction, disjunction) if is_and else Flag(disjunction, conjunction)

    def _value(self, node: ast.expr, release: Version) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if isinstance(told := self._lookup(node.id), Told):
                return self._value(told.node, release)
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
                raise _Unclear

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
                raise _Unclear
            if isinstance(left, Version) != isinstance(right, Version):
                left, right = (one if isinstance(one, Version) else Version(one) for one in (left, right))
            exact = isinstance(operation, (ast.Eq, ast.NotEq))
            if exact and any(isinstance(side, (str, Version)) and str(side).count(".") > 1 for side in (left, right)):
                raise _Unclear  # it names one patch release; another of the same minor release differs
            if not _OPERATORS[type(operation)](left, right):
                return False
            left = right
        return True

    def _called(self, node: ast.Call, release: Version) -> Any:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if isinstance(function, ast.Attribute) and name in _METHODS:
            given = [self._value(one, release) for one in node.args]
            return getattr(str(self._value(function.value, release)), name)(*given)
        if name == "map" and len(node.args) == 2 and getattr(node.args[0], "id", "") == "int":
            return tuple(int(one) for one in self._value(node.args[1], release))
        if len(node.args) != 1:
            raise _Unclear
        value = self._value(node.args[0], release)
        if name in _PARSERS:
            return Version(value)
        if name in _LISTS:
            return tuple(value)
        if name in _PLAIN:
            return _PLAIN[name](value)
        raise _Unclear


def _turns_to_int(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int"
