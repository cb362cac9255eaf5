"""What one file uses. Sets of releases are masks over the minor releases, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

EVERYWHERE: Final = -1
"""The mask of all releases, for any number of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name of TensorFlow or Keras that the code needs.

    Attributes:
        line: line in the file, or in the cell of a notebook, counted from 1.
        symbols: dotted names that begin with `tf.` or `keras.`; one of them must exist (`try` gave the name several
            meanings). `()` marks an instance: `tf.keras.Model().fit` is a method of an instance of the class.
        keywords: keywords of the call, if it is called here.
        live: releases on which the line is reached: a use under `if tf.__version__ < "2"` asks nothing of others.
        star: whether it may also be a name of the project, because `import *` hides its origin.
        sure: whether importing the module reaches the line, on the releases in `live`.
        cell: number of the cell in a notebook, counted from 1.
    """

    line: int
    symbols: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    live: int = EVERYWHERE
    star: bool = False
    sure: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A line that only some releases get past, such as `assert tf.__version__ >= "1.8"`.

    Attributes:
        text: condition as written, shortened.
        releases: releases that get past the line.
        sure: whether importing the module reaches the line.
    """

    line: int
    text: str
    releases: int
    sure: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """Something that not every Python can parse or import.

    Attributes:
        text: name of the syntax or import (`f-string`, `print statement`, `import urllib2`).
        python: specifier of the Pythons that have it, such as `<3` or `>=3.8`.
    """

    line: int
    text: str
    python: str
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An import from outside TensorFlow, Keras and the standard library.

    Attributes:
        module: first part of the module's name.
        guarded: whether the code also works without it.
        live: releases on which the import is reached.
        sure: whether importing the module that holds the line reaches it, on the releases in `live`.
    """

    line: int
    module: str
    guarded: bool = False
    live: int = EVERYWHERE
    sure: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """An import of another module of the project, which importing this module reaches.

    Attributes:
        module: name as written, without leading dots; may be empty.
        level: number of leading dots.
        names: names that are imported from it; each may be a module too.
        live: releases on which the import is reached.
    """

    module: str
    level: int = 0
    names: tuple[str, ...] = ()
    live: int = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A way of writing that some releases refuse, although every name in it exists there.

    Attributes:
        rule: id of the rule in `constraints/facts/habits.toml`.
        text: code as written, shortened.
        live: releases on which the line is reached.
    """

    line: int
    rule: str
    text: str
    live: int = EVERYWHERE
    cell: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything found in one file.

    Attributes:
        file: name of the file in findings.
        lines: number of lines.
        unread: parts that could not be read, each as a sentence.
        legacy: whether the file sets TF_USE_LEGACY_KERAS or imports `tf_keras`.
        inner: other modules of the project that importing this one imports.
        foreign: names of modules outside TensorFlow and Keras that importing this one reads, such as `numpy.float_`.
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
    inner: tuple[Inner, ...] = ()
    foreign: tuple[Use, ...] = ()
