"""What was found in a file so far, and under which conditions the statement being read is reached."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tfenv.infer.python import standard_library
from tfenv.infer.python.meanings import OTHER, STAR
from tfenv.infer.uses import EVERYWHERE, Bound, Habit, Imported, Inner, Syntax, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfenv.infer.python.meanings import Paths

ROOTS: Final = {"tensorflow": "tf", "tensorflow_core": "tf", "keras": "keras", "tf_keras": "tf.keras"}
"""Packages whose names are followed, and the first part of their paths."""

_LEGACY: Final = "TF_USE_LEGACY_KERAS"


class Record:
    """Findings of one file.

    Args:
        local: modules of the project itself, by the first part of their names.

    Attributes:
        live: mask of the releases on which the statement being read is reached.
        loose: nesting depth of blocks that only some releases or Pythons reach; what they ask of Python does not count.
        forks: nesting depth of code that importing the module may not reach: functions, and branches of conditions that
            do not depend on the release.
        legacy: whether the file sets TF_USE_LEGACY_KERAS or imports `tf_keras`.
    """

    def __init__(self, local: frozenset[str]) -> None:
        self.uses: list[Use] = []
        self.bounds: list[Bound] = []
        self.syntaxes: list[Syntax] = []
        self.imports: list[Imported] = []
        self.habits: list[Habit] = []
        self.inner: list[Inner] = []
        self.foreign: list[Use] = []
        self.legacy = False
        self.live = EVERYWHERE
        self.loose = 0
        self.forks = 0
        self._local = local
        self._noted: set[str] = set()

    def use(self, paths: Paths, line: int, keywords: tuple[str, ...] = ()) -> None:
        """Record that one of these paths is needed."""
        followed = tuple(path for path in paths if not path.startswith(OTHER))
        if not followed:
            if len(paths) == 1 and self.live and not self.forks:
                name = paths[0].removeprefix(OTHER)
                self.foreign.append(Use(line=line, symbols=(name,), live=self.live, sure=True))
            return
        star = any(path.startswith(STAR) for path in followed)
        symbols = tuple(path.lstrip(STAR) for path in followed)
        live = self.live if len(followed) == len(paths) else 0  # something outside TensorFlow can take its place
        self.uses.append(Use(line=line, symbols=symbols, keywords=keywords, live=live, star=star, sure=not self.forks))

    def syntax(self, node: ast.AST, text: str, python: str) -> None:
        """Record what a node asks of Python: once per text, and only where every Python gets there."""
        if text not in self._noted and not self.loose:
            self._noted.add(text)
            self.syntaxes.append(Syntax(line=getattr(node, "lineno", 1), text=text, python=python))

    def bound(self, node: ast.stmt, test: ast.expr, releases: int) -> None:
        """Record that only the releases in a mask get past a statement, because of a test."""
        if releases:
            text = ast.unparse(test)[:80]
            self.bounds.append(Bound(line=node.lineno, text=text, releases=releases | ~self.live, sure=not self.forks))

    def habit(self, habits: Iterable[tuple[str, str]], node: ast.expr | ast.stmt) -> None:
        """Record ways of writing, each as the id of its rule and its text."""
        if self.live:
            self.habits += [Habit(line=node.lineno, rule=rule, text=text, live=self.live) for rule, text in habits]

    def root(self, top: str, line: int) -> str | None:
        """The first part of the paths of an imported package; ``None`` if it is not TensorFlow or Keras.

        Packages outside the standard library and the project are recorded as imports.
        """
        if top in self._local:
            return None
        if top == "tf_keras":
            self.legacy = True
        root = ROOTS.get(top)
        if (root is None or top == "tf_keras") and top and not standard_library.is_standard(top):
            guarded, sure = bool(self.loose) or self.live == 0, not self.forks
            self.imports.append(Imported(line=line, module=top, guarded=guarded, live=self.live, sure=sure))
        return root

    def within(self, module: str, level: int = 0, names: Iterable[str] = ()) -> None:
        """Record an import of a module of the project itself, unless it may not be reached or may fail."""
        if self.live and not self.forks and (level or module.partition(".")[0] in self._local):
            self.inner.append(Inner(module=module, level=level, names=tuple(names), live=self.live))

    def python_of(self, node: ast.stmt, module: str, names: Sequence[str]) -> None:
        """Record what an import asks of Python."""
        if self.loose or module.partition(".")[0] in self._local:
            return
        for text, python in standard_library.python_of(module, names):
            self.syntax(node, text, python)

    def variable(self, name: object) -> None:
        """Record that an environment variable is set."""
        if name == _LEGACY:
            self.legacy = True
