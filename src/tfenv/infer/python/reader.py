"""One Python file, read: what it uses of TensorFlow and Keras, where, and on which releases it gets there.

Names are followed from where they are imported, through assignments, to where they are used. Statements are read in
order, the bodies of functions after everything around them. Where a name may stand for several things (`try`, `if`),
one of them is enough.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tfenv.infer.python import recognizers
from tfenv.infer.python.expressions import Expressions
from tfenv.infer.python.flow import asks_python, expressions, is_main, last_name, leaves, parameters, refuses
from tfenv.infer.python.guards import Guards
from tfenv.infer.python.meanings import OTHER, STAR, Sub
from tfenv.infer.python.record import Record
from tfenv.infer.python.scopes import Scopes
from tfenv.infer.python.syntax import NEWER, parse
from tfenv.infer.uses import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.version import Version

    from tfenv.infer.python.meanings import Value

_CAUGHT: Final = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "NameError"})
_CAUGHT_ALL: Final = frozenset({"Exception", "BaseException"})
_WITHOUT_INSTANCE: Final = ("staticmethod", "classmethod")


def read(
    source: str,
    file: str,
    releases: Sequence[Version],
    local: frozenset[str] = frozenset(),
    keras: Sequence[str] = (),
) -> Reading:
    """Read a Python file.

    Args:
        source: text of the file.
        file: name of the file, for findings.
        releases: the release that represents each minor release, oldest first; masks have one bit for each.
        local: modules of the project itself, by the first part of their names.
        keras: version of the Keras behind `tf.keras` in each of the releases; empty if unknown.
    """
    tree, syntax, unread = parse(source, file)
    record, scopes = Record(local), Scopes()
    guards = Guards(releases, scopes.paths, scopes.lookup, keras)
    inner = Expressions(record, scopes, guards)
    _Statements(record, scopes, guards, inner).run(tree)
    syntaxes, habits = record.syntaxes, record.habits
    is_python_2 = any(found.python == "<3" for found in syntax)
    if is_python_2:
        syntaxes = [found for found in syntaxes if not found.python.startswith(">")]
    if not any(".keras" in path or path.startswith("keras") for use in record.uses for path in use.symbols):
        habits = [habit for habit in habits if habit.rule not in recognizers.BY_NAME]
    if not record.uses or any(imported.module in recognizers.ARRAYS for imported in record.imports):
        habits = [habit for habit in habits if habit.rule not in ("eager-numpy", "dimension-value")]
    return Reading(
        file=file,
        lines=source.count("\n") + 1,
        uses=tuple(dict.fromkeys(record.uses)),
        bounds=tuple(record.bounds),
        syntax=(*syntax, *syntaxes, *(() if is_python_2 else inner.python_2_names())),
        imports=tuple(dict.fromkeys(record.imports)),
        habits=tuple(dict.fromkeys(habits)),
        unread=tuple(unread),
        legacy=record.legacy,
        inner=tuple(dict.fromkeys(record.inner)),
        foreign=tuple(dict.fromkeys(record.foreign)),
    )


class _Statements:
    def __init__(self, record: Record, scopes: Scopes, guards: Guards, inner: Expressions) -> None:
        self._record = record
        self._scopes = scopes
        self._guards = guards
        self._expressions = inner
        self._later: list[Callable[[], None]] = []
        self._functions = 0
        self._instance: dict[str, Value] = {}
        self._handlers: dict[type[ast.AST], Callable[..., None]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.If: self._if,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Assert: self._assert,
        }

    def run(self, tree: ast.Module) -> None:
        self._block(tree.body)
        while self._later:
            later, self._later = self._later, []
            for read_body in later:
                read_body()

    def _block(self, body: Iterable[ast.stmt]) -> None:
        live, forks = self._record.live, self._record.forks
        for statement in body:
            self._statement(statement)
        self._record.live, self._record.forks = live, forks

    def _statement(self, node: ast.AST) -> None:
        kind = type(node)
        if kind.__name__ in NEWER:
            self._record.syntax(node, *NEWER[kind.__name__])
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expressions.read(child)
            elif not isinstance(child, (ast.expr_context, ast.operator)):
                self._statement(child)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            top, _, rest = alias.name.partition(".")
            root = self._record.root(top, node.lineno)
            self._record.within(alias.name)
            self._record.python_of(node, alias.name, ())
            if root is None:
                self._scopes.innermost[alias.asname or top] = (f"{OTHER}{alias.name if alias.asname else top}",)
                continue
            path = f"{root}.{rest}" if rest else root
            if rest or root == "keras":
                self._record.use((path,), node.lineno)
            self._scopes.innermost[alias.asname or top] = (path,) if alias.asname else (root,)

    def _import_from(self, node: ast.ImportFrom) -> None:
        top, _, rest = (node.module or "").partition(".")
        root = None if node.level else self._record.root(top, node.lineno)
        names = [alias.name for alias in node.names]
        self._record.within(node.module or "", node.level, names)
        if not node.level:
            self._record.python_of(node, node.module or "", names)
        start = f"{root}.{rest}" if root is not None and rest else root
        for alias in node.names:
            if alias.name == "*":
                if start is not None:
                    self._record.use((start,), node.lineno)
                self._scopes.stars.append(start or OTHER)
                continue
            path = f"{start}.{alias.name}" if start is not None else f"{OTHER}{node.module}.{alias.name}"
            if start is not None or not node.level:
                self._record.use((path,), node.lineno)
            self._scopes.innermost[alias.asname or alias.name] = (path,)

    def _assign(self, node: ast.Assign) -> None:
        read, bind = self._expressions.assigned, self._expressions.bind
        if isinstance(node.value, ast.Tuple) and all(
            isinstance(target, ast.Tuple) and len(target.elts) == len(node.value.elts) for target in node.targets
        ):
            values = [read(element) for element in node.value.elts]
            for target in node.targets:
                for element, value in zip(target.elts, values, strict=True):  # type: ignore[attr-defined]
                    bind(element, value)
            return
        value = read(node.value)
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                self._expressions.environment(target.slice)
            bind(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        self._expressions.read(node.annotation)
        value = self._expressions.assigned(node.value) if node.value is not None else ()
        self._expressions.bind(node.target, value)

    def _augmented(self, node: ast.AugAssign) -> None:
        self._expressions.read(node.value)
        if not isinstance(node.target, ast.Name):
            self._expressions.read(node.target)

    def _if(self, node: ast.If) -> None:
        record, scopes = self._record, self._scopes
        self._expressions.read(node.test)
        if is_main(node.test):
            record.forks += 1
            self._block(node.body)
            record.forks -= 1
            return
        condition, loose = self._guards.condition(node.test), asks_python(node.test)
        live, before = record.live, dict(scopes.innermost)
        if condition is not None:
            record.live = live & condition.true
        record.loose += bool(condition) or loose
        forks = record.forks
        record.forks += condition is None and not isinstance(node.test, ast.Constant)
        self._block(node.body)
        after = scopes.innermost
        scopes.innermost = dict(before)
        record.live = live if condition is None else live & condition.false
        self._block(node.orelse)
        record.loose -= bool(condition) or loose
        record.live, record.forks = live, forks
        if condition is None and any(leaves(body) and not refuses(body) for body in (node.body, node.orelse)):
            record.forks += 1
        ends = ((after, node.body), (scopes.innermost, node.orelse))
        scopes.merge(before, [names for names, body in ends if not leaves(body)])
        if condition is not None and leaves(node.body) and not node.orelse:
            if refuses(node.body) and not self._functions:
                record.bound(node, node.test, condition.false)
            record.live = live & condition.false

    def _assert(self, node: ast.Assert) -> None:
        self._expressions.read(node.test)
        condition = self._guards.condition(node.test)
        if condition is not None and condition.true != condition.false and not self._functions:
            self._record.bound(node, node.test, condition.true)

    def _try(self, node: ast.Try) -> None:
        record, scopes = self._record, self._scopes
        guarded = any(self._guards_names(node, handler) for handler in node.handlers)
        live, before = record.live, dict(scopes.innermost)
        swallowed = any(_catches_all(handler) and not refuses(handler.body) for handler in node.handlers)
        record.forks += swallowed
        if guarded:
            record.live = 0
            record.loose += 1
        self._block(node.body)
        record.forks -= swallowed
        if guarded:
            self._block(node.orelse)
        branches = [scopes.innermost]
        for handler in node.handlers:
            scopes.innermost = dict(before) if guarded else {**before, **branches[0]}
            if handler.name:
                scopes.innermost[handler.name] = ()
            record.forks += 1
            self._block(handler.body)
            record.forks -= 1
            if not leaves(handler.body):
                branches.append(scopes.innermost)
        record.loose -= guarded
        record.live = live
        scopes.merge(before, branches)
        if not guarded:
            self._block(node.orelse)
        self._block(node.finalbody)

    def _guards_names(self, node: ast.Try, handler: ast.ExceptHandler) -> bool:
        """Whether a handler lets the program go on without the names that the `try` body asks for."""
        if refuses(handler.body):
            return False
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", None) for kind in kinds}
        if names & _CAUGHT:
            return True
        if None not in names and not names & _CAUGHT_ALL:
            return False
        # A handler of every exception counts as an import guard only if the `try` body contains nothing but imports,
        # or if the handler has a fallback.
        imports = (ast.Import, ast.ImportFrom)
        if all(isinstance(statement, imports) for statement in node.body):
            return True
        return any(isinstance(statement, imports) for statement in handler.body) or (
            len(node.body) == 1 and any(self._scopes.paths(part) for part in expressions(handler.body))
        )

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self._expressions.assigned(item.context_expr)
            if item.optional_vars is not None:
                self._expressions.bind(item.optional_vars, value)
        calls = (item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call))
        suppressed = any(last_name(call.func) == "suppress" for call in calls)
        self._record.forks += suppressed
        self._block(node.body)
        self._record.forks -= suppressed

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expressions.read(node.iter)
        self._expressions.bind(node.target, ())
        self._block(node.body)
        self._block(node.orelse)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: Sub | None = None) -> None:
        record, scopes = self._record, self._scopes
        if getattr(node, "type_params", None):
            record.syntax(node, "type parameters", ">=3.12")
        for decorator in node.decorator_list:
            self._expressions.read(decorator)
        self._expressions.signature(node.args)
        if node.returns is not None:
            self._expressions.read(node.returns)
        scopes.innermost[node.name] = ()
        around, live, loose = list(scopes.stack), record.live, record.loose
        if owner is not None:
            around.pop()  # methods do not see the names of their class
        names: dict[str, Value] = dict.fromkeys(parameters(node.args), ())
        instance = self._instance if owner is not None else None

        def read_body() -> None:
            kept = scopes.stack, record.live, record.loose
            scopes.stack = [*around, *([] if instance is None else [instance]), names]
            first = next(iter(names), None)
            if owner is not None and first is not None:
                names[first] = owner
            record.live, record.loose = live, loose
            self._functions += 1
            self._record.forks += 1
            self._block(node.body)
            self._record.forks -= 1
            self._functions -= 1
            scopes.stack, record.live, record.loose = kept

        self._later.append(read_body)

    def _class(self, node: ast.ClassDef) -> None:
        if getattr(node, "type_params", None):
            self._record.syntax(node, "type parameters", ">=3.12")
        for decorator in node.decorator_list:
            self._expressions.read(decorator)
        sub = self._derived(node)
        for keyword in node.keywords:
            self._expressions.read(keyword.value)
        self._record.habit(recognizers.of_class(node, sub.paths), node)
        attributes: dict[str, Value] = {"self.": ()}
        self._scopes.stack.append({})
        instance = Sub(sub.paths, sub.own, instance=True)
        for statement in node.body:
            self._instance = attributes
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                static = any(getattr(name, "id", "") in _WITHOUT_INSTANCE for name in statement.decorator_list)
                self._function(statement, Sub((), frozenset()) if static else instance)
            else:
                self._statement(statement)
        self._scopes.stack.pop()
        self._scopes.innermost[node.name] = sub if sub.paths else ()

    def _derived(self, node: ast.ClassDef) -> Sub:
        """A class by its bases; without paths if one of them is neither known nor `object`."""
        paths: list[str] = []
        own = {method.name for method in node.body if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef))}
        known = bool(node.bases)
        for base in node.bases:
            value = self._expressions.read(base)
            if isinstance(value, Sub):
                paths += value.paths
                own |= value.own
            elif isinstance(value, tuple) and value and not any(path.startswith((OTHER, STAR)) for path in value):
                paths += value
            else:
                known = known and isinstance(base, ast.Name) and base.id == "object"
        return Sub(tuple(paths) if known else (), frozenset(own))


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or last_name(handler.type) in _CAUGHT_ALL
