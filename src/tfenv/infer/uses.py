"""What one file was found to use; sets of releases are masks over the minor releases, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

EVERYWHERE: Final = -1
"""The mask of all releases, however many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name of TensorFlow or Keras that the code needs.

    Attributes:
        line: in the file (of a notebook: in the cell), from 1 on.
        symbols: dotted, from `tf.` or `keras.` on; one of them must be there (`try` gave the name several meanings).
            `()` within stands for an instance: `tf.keras.Model().fit` is a method of what the class makes.
        keywords: of the call, if it is called here.
        live: the releases on which this is reached: a use under `if tf.__version__ < "2"` asks nothing of others.
        star: it may as well be a name of the project: `import *` hides where it is from.
        cell: of a notebook, from 1 on.
    """

    line: int
    symbols: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    live: int = EVERYWHERE
    star: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A line that only some releases get past, such as `assert tf.__version__ >= "1.8"`.

    Attributes:
        text: what is written, shortened.
        releases: that get past it.
    """

    line: int
    text: str
    releases: int
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """Something that not every Python can read or import.

    Attributes:
        text: what it is (`f-string`, `print statement`, `import urllib2`).
        python: a specifier: `<3`, `>=3.8`.
    """

    line: int
    text: str
    python: str
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An import of something else than TensorFlow, Keras or the standard library.

    Attributes:
        module: the first part of its name.
        guarded: the code can do without it.
    """

    line: int
    module: str
    guarded: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A way of writing that some releases do not go along with, though every name in it exists there.

    Attributes:
        rule: the id of the rule in `tfenv.infer.python.recognizers`.
        text: what is written, as short as will do.
    """

    line: int
    rule: str
    text: str
    live: int = EVERYWHERE
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one file says.

    Attributes:
        file: its name, as findings tell it.
        lines: how many it has.
        unread: what could not be read, each as a sentence.
        legacy: does it set TF_USE_LEGACY_KERAS, or import `tf_keras`?
    """

    file: str
    lines: int = 0
    uses: tuple[Use, ...] = ()
    bounds: tuple[Bound, ...] = ()
    syntax: tuple[Syntax, ...] = ()
    imports: tuple[Imported, ...] = ()
    habits: tuple[Habit, ...] = ()
    unread: tuple[str, ...] = field(default=())
    legacy: bool = False
