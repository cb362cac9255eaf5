"""What a name in a program stands for, as far as reading shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

OTHER: Final = "@"
"""Prefix of the path of something outside TensorFlow and Keras that may take the place of a name of theirs."""

STAR: Final = "*"
"""Prefix of the path of something that `import *` may have brought."""

INSTANCE: Final = "()"
"""Suffix of a part of a path that is the result of a call."""

Paths: TypeAlias = tuple[str, ...]
"""Dotted names that begin with `tf.` or `keras.`; the value is one of them. Empty: nothing of TensorFlow or Keras."""


@dataclass(frozen=True, slots=True)
class VersionExpression:
    """An expression that depends on the running release, such as `tf.__version__.split(".")`; evaluated by `Guards`."""

    node: ast.expr


@dataclass(frozen=True, slots=True)
class Text:
    """A string that is written in the file."""

    value: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A condition on the release: masks of the releases on which it is true, and on which it is false."""

    true: int
    false: int


@dataclass(frozen=True, slots=True)
class Sub:
    """A class of the project that is derived from classes of TensorFlow, or an instance of it.

    Attributes:
        paths: base classes.
        own: names of the methods that the class, or a base class in the project, defines.
        instance: whether this is an instance and not the class.
    """

    paths: Paths
    own: frozenset[str]
    instance: bool = False


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A symbolic tensor of Keras: the result of `Input`, or of a layer called on a symbolic tensor."""


Value: TypeAlias = "Paths | VersionExpression | Text | Flag | Sub | Symbolic"


def either(values: Iterable[Value]) -> Value:
    """A name that stands for one of these values; a value that nothing is known of counts as `OTHER`."""
    kept = list(dict.fromkeys(values))
    if len(kept) == 1:
        return kept[0]
    paths: list[str] = []
    for value in kept:
        paths += value if isinstance(value, tuple) and value else (OTHER,)
    return tuple(dict.fromkeys(paths))
