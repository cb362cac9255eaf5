"""What a name in a program stands for, as far as reading tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

OTHER: Final = "@"
"""How the path of something begins that is not of TensorFlow or Keras, but may stand in for it."""

STAR: Final = "*"
"""How the path of something begins that `import *` may have brought."""

INSTANCE: Final = "()"
"""How a part of a path ends that is what a call gave."""

Paths: TypeAlias = tuple[str, ...]
"""Dotted names from `tf.` or `keras.` on; the thing is one of them. Empty: nothing that matters."""


@dataclass(frozen=True, slots=True)
class Told:
    """An expression about the release at hand (`tf.__version__.split(".")`), to be worked out where it is asked."""

    node: ast.expr


@dataclass(frozen=True, slots=True)
class Flag:
    """What is true on some releases only: masks of those where it is true, and where it is false."""

    true: int
    false: int


@dataclass(frozen=True, slots=True)
class Sub:
    """A class of the project, or its instance, made from classes of TensorFlow.

    Attributes:
        paths: the classes it is made from.
        own: what it defines itself.
    """

    paths: Paths
    own: frozenset[str]
    instance: bool = False


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A tensor of Keras that stands for what a model will be given: what `Input` gives, and layers called on it."""


Value: TypeAlias = "Paths | Told | Flag | Sub | Symbolic"


def either(values: Iterable[Value]) -> Value:
    """A name that stands for one of these; one that nothing is known of may be anything."""
    kept = list(dict.fromkeys(values))
    if len(kept) == 1:
        return kept[0]
    paths: list[str] = []
    for one in kept:
        paths += one if isinstance(one, tuple) and one else (OTHER,)
    return tuple(dict.fromkeys(paths))
