"""What runs when a package is imported: its modules, each with the functions that importing it calls.

The code is read, never run. What may not run, or may fail without harm (functions that nothing calls, branches of
conditions that do not depend on the release, guarded imports), does not count.
"""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING, Final

from tfenv.infer.python import reader
from tfenv.infer.python.flow import is_main, last_name
from tfenv.infer.python.syntax import parse
from tfenv.infer.uses import EVERYWHERE, Inner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from tfenv.infer.uses import Reading

_DEEPEST: Final = 3
"""Calls within calls that are followed."""

_MOST: Final = 1500
"""Modules of one package that are read."""

_LARGEST: Final = 400_000
"""Bytes of a module that is read; larger ones are generated tables."""


class Package:
    """The modules of a published file.

    Args:
        sources: text of each Python file, by its path, such as `retinaface/RetinaFace.py`.
        releases: one release for each minor release of TensorFlow, oldest first; masks have one bit for each.
        keras: version of the Keras behind `tf.keras` in each of the releases.

    Attributes:
        files: path of each module, by dotted name.
        tops: first parts of the names of the modules.
    """

    def __init__(self, sources: Mapping[str, bytes], releases: Sequence[Version], keras: Sequence[str]) -> None:
        self.files = {_dotted(path): path for path, text in sources.items() if len(text) <= _LARGEST}
        self.tops = frozenset(name.partition(".")[0] for name in self.files)
        self._sources = sources
        self._releases = releases
        self._keras = keras

    def imported(self, entries: Iterable[str]) -> list[Reading]:
        """What importing some modules runs, one reading for each module that is surely imported.

        Args:
            entries: dotted names of the modules that a user imports.
        """
        waiting = deque((entry, EVERYWHERE) for entry in entries)
        reached: dict[str, int] = {}
        called: dict[str, set[str]] = {}
        found: dict[str, Reading] = {}
        while waiting and len(reached) < _MOST:
            name, live = waiting.popleft()
            known = reached.get(name, 0)
            if name not in self.files or known | live == known:
                continue
            reached[name] = known | live
            if "." in name:
                waiting.append((name.rpartition(".")[0], live))
            if not known:
                found[name], calls = self._read(name, called.get(name, set()))
                for module, function in calls:
                    called.setdefault(module, set()).add(function)
                    if module in found and module != name:
                        found[module], _ = self._read(module, called[module])
            for inner in found[name].inner:
                waiting += [(module, live & inner.live) for module in self._meant(name, inner)]
        return list(found.values())

    def _read(self, name: str, called: set[str]) -> tuple[Reading, list[tuple[str, str]]]:
        """One module, and the functions of other modules that importing it calls."""
        path = self.files[name]
        tree, _, _ = parse(self._sources[path].decode("utf-8", "replace"), path)
        slice_ = _Slice(tree)
        module = slice_.made(called)
        reading = reader.read(ast.unparse(module), path, self._releases, self.tops, self._keras)
        calls = [
            (meant, function)
            for inner, function in slice_.outer
            for meant in self._meant(name, inner)
            if meant in self.files
        ]
        return reading, calls

    def _meant(self, name: str, inner: Inner) -> Iterator[str]:
        """The modules that an import may mean; what is no module is a name in its parent."""
        base = inner.module
        if inner.level:
            package = name if self.files[name].endswith("/__init__.py") else name.rpartition(".")[0]
            for _ in range(inner.level - 1):
                package = package.rpartition(".")[0]
            base = ".".join(filter(None, (package, inner.module)))
        yield base
        for part in inner.names:
            yield f"{base}.{part}"


class _Slice:
    """A module without the bodies of its functions, but with those that importing it calls, where they are called.

    Attributes:
        outer: calls of functions of other modules: the import that names the module, and the function.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.outer: list[tuple[Inner, str]] = []
        self._tree = tree
        self._bodies = {
            node.name: node.body for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        self._named: dict[str, tuple[ast.ImportFrom, str]] = {}

    def made(self, called: Iterable[str]) -> ast.Module:
        """The slice.

        Args:
            called: functions of the module that other modules call when they are imported.
        """
        body = self._block(self._tree.body, 0)
        for name in sorted(called):
            body += self._inlined(name, 0)
        return ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))

    def _block(self, body: Sequence[ast.stmt], depth: int) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                node.body = [ast.Pass()]
            elif isinstance(node, ast.ImportFrom):
                self._named.update({alias.asname or alias.name: (node, alias.name) for alias in node.names})
            elif isinstance(node, ast.If) and is_main(node.test):
                continue
            else:
                for call in _calls(node):
                    found += self._of_call(call, depth)
                for part in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                    for field in ("body", "orelse", "finalbody"):
                        inner = getattr(part, field, None)
                        if isinstance(inner, list) and inner:
                            setattr(part, field, self._block(inner, depth))
            found.append(node)
        return found or [ast.Pass()]

    def _of_call(self, call: ast.Call, depth: int) -> list[ast.stmt]:
        """The bodies of the functions that a call runs: its own, and those that a lazy loader runs on first use."""
        names = [call.func.id] if isinstance(call.func, ast.Name) else []
        if "lazy" in last_name(call.func).lower():
            given = (part for value in (*call.args, *call.keywords) for part in ast.walk(value))
            names += [part.id for part in given if isinstance(part, ast.Name)]
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and not depth:
            self._note(call.func.value.id, call.func.attr, names=True)
        elif isinstance(call.func, ast.Name) and not depth and call.func.id in self._named:
            self._note(call.func.id, self._named[call.func.id][1], names=False)
        return [statement for name in names for statement in self._inlined(name, depth)]

    def _note(self, bound: str, function: str, *, names: bool) -> None:
        if bound in self._named:
            node, name = self._named[bound]
            parts = (name,) if names else ()
            self.outer.append((Inner(module=node.module or "", level=node.level, names=parts), function))

    def _inlined(self, name: str, depth: int) -> list[ast.stmt]:
        if depth >= _DEEPEST or name not in self._bodies:
            return []
        body = self._bodies.pop(name)
        return [ast.If(test=ast.Constant(value=True), body=self._block(body, depth + 1), orelse=[])]


def _calls(node: ast.stmt) -> Iterator[ast.Call]:
    """The calls in a statement, those in its blocks left out."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from (part for part in ast.walk(child) if isinstance(part, ast.Call))


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
