"""One Python file, read: what it uses of TensorFlow and Keras, where, and on which releases it gets there.

Names are followed from where they are imported, through assignments, to where they are used. Statements are read in
order, the bodies of functions after everything around them. Where a name may stand for several things (`try`, `if`),
one of them is enough.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tfenv.infer.python import habits, modules
from tfenv.infer.python.guards import Guards
from tfenv.infer.python.syntax import NEWER, parse
from tfenv.infer.python.values import INSTANCE, OTHER, STAR, Sub, Symbolic, Told, either
from tfenv.infer.uses import EVERYWHERE, Bound, Habit, Imported, Reading, Syntax, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.version import Version

    from tfenv.infer.python.values import Paths, Value

ROOTS: Final = {"tensorflow": "tf", "tensorflow_core": "tf", "keras": "keras", "tf_keras": "tf.keras"}
"""Packages whose names are followed, and how their paths begin."""

_CAUGHT: Final = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "NameError"})
_CAUGHT_ALL: Final = frozenset({"Exception", "BaseException"})
_ENDS: Final = frozenset({"exit", "_exit", "abort", "quit"})
_TWO_ONLY: Final = frozenset({"xrange", "raw_input", "unicode", "basestring", "unichr", "execfile"})
_STATIC: Final = ("staticmethod", "classmethod")
_LEGACY: Final = "TF_USE_LEGACY_KERAS"
_BLOCKS: Final = (ast.If, ast.Try, ast.For, ast.While, ast.With)


def read(source: str, file: str, releases: Sequence[Version], local: frozenset[str] = frozenset()) -> Reading:
    """Read a Python file.

    Args:
        source: its text.
        file: its name, for findings.
        releases: for each minor release the one that stands for it, oldest first; masks count them.
        local: modules of the project itself, by the first part of their names.
    """
    tree, syntax, unread = parse(source, file)
    reader = _Reader(releases, local)
    reader.run(tree)
    if any(one.python == "<3" for one in syntax):
        reader.syntax = [one for one in reader.syntax if not one.python.startswith(">")]
    two = () if any(one.python == "<3" for one in syntax) else reader.only_two()
    if not any(".keras" in path or path.startswith("keras") for use in reader.uses for path in use.symbols):
        reader.habits = [one for one in reader.habits if one.rule not in habits.BY_NAME]
    if not reader.uses or any(one.module in habits.ARRAYS for one in reader.imports):
        reader.habits = [one for one in reader.habits if one.rule not in ("eager-numpy", "dimension-value")]
    return Reading(
        file=file,
        lines=source.count("\n") + 1,
        uses=tuple(dict.fromkeys(reader.uses)),
        bounds=tuple(reader.bounds),
        syntax=(*syntax, *reader.syntax, *two),
        imports=tuple(dict.fromkeys(reader.imports)),
        habits=tuple(dict.fromkeys(reader.habits)),
        unread=tuple(unread),
        legacy=reader.legacy,
    )


class _Reader:
    def __init__(self, releases: Sequence[Version], local: frozenset[str]) -> None:
        self.uses: list[Use] = []
        self.bounds: list[Bound] = []
        self.syntax: list[Syntax] = []
        self.imports: list[Imported] = []
        self.habits: list[Habit] = []
        self.legacy = False
        self._local = local
        self._scopes: list[dict[str, Value]] = [{}]
        self._later: list[Callable[[], None]] = []
        self._live = EVERYWHERE
        self._loose = 0
        self._stars: list[str] = []
        self._unbound: dict[str, int] = {}
        self._functions = 0
        self._guards = Guards(releases, self.quiet, self.lookup)
        self._noted: set[str] = set()
        self._handlers: dict[type[ast.AST], Callable[..., None]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.If: self._if,
            ast.Try: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Assert: self._assert,
        }
        star = getattr(ast, "TryStar", None)
        if star is not None:
            self._handlers[star] = self._try
        self._expressions: dict[type[ast.AST], Callable[..., Value]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.BoolOp: self._bool,
            ast.IfExp: self._choice,
            ast.Lambda: self._lambda,
            ast.NamedExpr: self._walrus,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.Constant: lambda _: (),
            ast.List: self._several,
            ast.Tuple: self._several,
        }

    def run(self, tree: ast.Module) -> None:
        self._block(tree.body)
        while self._later:
            later, self._later = self._later, []
            for one in later:
                one()

    def only_two(self) -> tuple[Syntax, ...]:
        """Names that only Python 2 has."""
        if self._stars:
            return ()
        bound = self._scopes[0]
        return tuple(
            Syntax(line=line, text=f"`{name}`", python="<3")
            for name, line in self._unbound.items()
            if name not in bound
        )

    # names

    def lookup(self, name: str) -> Value | None:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return None

    def quiet(self, node: ast.expr) -> Paths:
        """What an expression stands for, nothing noted."""
        if isinstance(node, ast.Name):
            value = self.lookup(node.id)
            return value if isinstance(value, tuple) else ()
        if isinstance(node, ast.Attribute):
            return tuple(f"{path}.{node.attr}" for path in self.quiet(node.value))
        return ()

    def _bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._scopes[-1][target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self._bind(one, ())
        elif isinstance(target, ast.Starred):
            self._bind(target.value, ())
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            key = f"{target.value.id}.{target.attr}"
            for scope in reversed(self._scopes):
                if f"{target.value.id}." in scope:
                    scope[key] = value if key not in scope else either((scope[key], value))
                    break
            else:
                self._expr(target.value)
        else:
            self._expr(target)

    def _use(self, paths: Paths, line: int, keywords: tuple[str, ...] = ()) -> None:
        followed = tuple(path for path in paths if not path.startswith(OTHER))
        if not followed:
            return
        star = any(path.startswith(STAR) for path in followed)
        symbols = tuple(path.lstrip(STAR) for path in followed)
        live = self._live if len(followed) == len(paths) else 0  # there is another way
        self.uses.append(Use(line=line, symbols=symbols, keywords=keywords, live=live, star=star))

    def _note(self, node: ast.AST, text: str, python: str) -> None:
        if text not in self._noted and not self._loose:
            self._noted.add(text)
            self.syntax.append(Syntax(line=getattr(node, "lineno", 1), text=text, python=python))

    # statements

    def _block(self, body: Iterable[ast.stmt]) -> None:
        live = self._live
        for statement in body:
            self._statement(statement)
        self._live = live

    def _statement(self, node: ast.AST) -> None:
        kind = type(node)
        if kind.__name__ in NEWER:
            self._note(node, *NEWER[kind.__name__])
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(node)
        else:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.AST):
                        self._any(one)
            elif isinstance(value, ast.AST):
                self._any(value)

    def _any(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self._expr(node)
        elif not isinstance(node, (ast.expr_context, ast.operator)):
            self._statement(node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            top, _, rest = alias.name.partition(".")
            root = self._root(top, node.lineno)
            self._python_of(node, alias.name, ())
            if root is None:
                self._scopes[-1][alias.asname or top] = (f"{OTHER}{alias.name if alias.asname else top}",)
                continue
            path = f"{root}.{rest}" if rest else root
            if rest or root == "keras":
                self._use((path,), node.lineno)
            self._scopes[-1][alias.asname or top] = (path,) if alias.asname else (root,)

    def _import_from(self, node: ast.ImportFrom) -> None:
        top, _, rest = (node.module or "").partition(".")
        root = None if node.level else self._root(top, node.lineno)
        names = [alias.name for alias in node.names]
        if not node.level:
            self._python_of(node, node.module or "", names)
        start = f"{root}.{rest}" if root is not None and rest else root
        for alias in node.names:
            if alias.name == "*":
                if start is not None:
                    self._use((start,), node.lineno)
                self._stars.append(start or OTHER)
                continue
            path = f"{start}.{alias.name}" if start is not None else f"{OTHER}{node.module}.{alias.name}"
            if start is not None:
                self._use((path,), node.lineno)
            self._scopes[-1][alias.asname or alias.name] = (path,)

    def _root(self, top: str, line: int) -> str | None:
        if top in self._local:
            return None
        if top == "tf_keras":
            self.legacy = True
        root = ROOTS.get(top)
        if (root is None or top == "tf_keras") and top and not modules.is_standard(top):
            self.imports.append(Imported(line=line, module=top, guarded=bool(self._loose) or self._live == 0))
        return root

    def _python_of(self, node: ast.stmt, module: str, names: Sequence[str]) -> None:
        if self._loose or module.partition(".")[0] in self._local:
            return
        for text, python in modules.python_of(module, names):
            self._note(node, text, python)

    def _assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Tuple) and all(
            isinstance(one, ast.Tuple) and len(one.elts) == len(node.value.elts) for one in node.targets
        ):
            values = [self._value(one) for one in node.value.elts]
            for target in node.targets:
                for one, value in zip(target.elts, values, strict=True):  # type: ignore[attr-defined]
                    self._bind(one, value)
            return
        value = self._value(node.value)
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                self._environ(target.slice)
            self._bind(target, value)

    def _value(self, node: ast.expr) -> Value:
        """As `_expr`, for something that gets a name."""
        value = self._expr(node)
        if not value and not isinstance(node, (ast.Constant, ast.Lambda)) and self._guards.asks(node):
            condition = self._guards.condition(node) if _is_test(node) else None
            return condition or Told(node)
        if isinstance(node, ast.Constant) and node.value is None:
            return (OTHER,)
        return value

    def _annotated(self, node: ast.AnnAssign) -> None:
        self._expr(node.annotation)
        self._bind(node.target, self._value(node.value) if node.value is not None else ())

    def _augmented(self, node: ast.AugAssign) -> None:
        self._expr(node.value)
        if not isinstance(node.target, ast.Name):
            self._expr(node.target)

    def _if(self, node: ast.If) -> None:
        self._expr(node.test)
        if _is_main(node.test):
            self._block(node.body)
            return
        condition, loose = self._guards.condition(node.test), _asks_python(node.test)
        live, before = self._live, dict(self._scopes[-1])
        if condition is not None:
            self._live = live & condition.true
        self._loose += bool(condition) or loose
        self._block(node.body)
        after = self._scopes[-1]
        self._scopes[-1] = dict(before)
        self._live = live if condition is None else live & condition.false
        self._block(node.orelse)
        self._loose -= bool(condition) or loose
        self._live = live
        branches = [one for one, body in ((after, node.body), (self._scopes[-1], node.orelse)) if not _leaves(body)]
        self._merge(before, branches)
        if condition is not None and _leaves(node.body) and not node.orelse:
            if _refuses(node.body) and not self._functions:
                self._bound(node, node.test, condition.false)
            self._live = live & condition.false

    def _bound(self, node: ast.stmt, test: ast.expr, releases: int) -> None:
        if releases:
            mask = releases | ~self._live
            self.bounds.append(Bound(line=node.lineno, text=ast.unparse(test)[:80], releases=mask))

    def _assert(self, node: ast.Assert) -> None:
        self._expr(node.test)
        condition = self._guards.condition(node.test)
        if condition is not None and condition.true != condition.false and not self._functions:
            self._bound(node, node.test, condition.true)

    def _merge(self, before: dict[str, Value], branches: list[dict[str, Value]]) -> None:
        """Names after a fork: what they stand for in one branch or the other."""
        merged = dict(before)
        names = dict.fromkeys(name for one in branches for name in one)
        for name in names:
            values = [one[name] for one in branches if name in one]
            merged[name] = either(values)
        self._scopes[-1] = merged

    def _try(self, node: ast.Try) -> None:
        guarded = any(self._guarding(node, one) for one in node.handlers)
        live, before = self._live, dict(self._scopes[-1])
        if guarded:
            self._live = 0
            self._loose += 1
        self._block(node.body)
        if guarded:
            self._block(node.orelse)
        branches = [self._scopes[-1]]
        for handler in node.handlers:
            self._scopes[-1] = dict(before) if guarded else {**before, **branches[0]}
            if handler.name:
                self._scopes[-1][handler.name] = ()
            self._block(handler.body)
            if not _leaves(handler.body):
                branches.append(self._scopes[-1])
        self._loose -= guarded
        self._live = live
        self._merge(before, branches)
        if not guarded:
            self._block(node.orelse)
        self._block(node.finalbody)

    def _guarding(self, node: ast.Try, handler: ast.ExceptHandler) -> bool:
        """Does this handler make up for names that are not there?"""
        if _refuses(handler.body):
            return False
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", None) for one in kinds}
        if names & _CAUGHT:
            return True
        if None not in names and not names & _CAUGHT_ALL:
            return False
        # who catches everything makes up for missing names if importing is all that is tried, or has another way ready
        imports = (ast.Import, ast.ImportFrom)
        if all(isinstance(one, imports) for one in node.body):
            return True
        return any(isinstance(one, imports) for one in handler.body) or (
            len(node.body) == 1 and any(self.quiet(one) for one in _expressions(handler.body))
        )

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self._value(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, value)
        self._block(node.body)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expr(node.iter)
        self._bind(node.target, ())
        self._block(node.body)
        self._block(node.orelse)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: Sub | None = None) -> None:
        if getattr(node, "type_params", None):
            self._note(node, "type parameters", ">=3.12")
        for decorator in node.decorator_list:
            self._expr(decorator)
        self._signature(node.args)
        if node.returns is not None:
            self._expr(node.returns)
        self._scopes[-1][node.name] = ()
        scopes, live, loose = list(self._scopes), self._live, self._loose
        if owner is not None:
            scopes.pop()  # methods do not see the names of their class
        names: dict[str, Value] = dict.fromkeys(_names(node.args), ())
        selfs = self._selfs if owner is not None else None

        def later() -> None:
            kept = self._scopes, self._live, self._loose
            self._scopes = [*scopes, *([] if selfs is None else [selfs]), names]
            first = next(iter(names), None)
            if owner is not None and first is not None:
                names[first] = owner
            self._live, self._loose = live, loose
            self._functions += 1
            self._block(node.body)
            self._functions -= 1
            self._scopes, self._live, self._loose = kept

        self._later.append(later)

    def _signature(self, arguments: ast.arguments) -> None:
        if arguments.posonlyargs:
            self._note(arguments.posonlyargs[0], "positional-only parameters", ">=3.8")
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self._expr(default)
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if one.annotation is not None:
                self._expr(one.annotation)

    _selfs: dict[str, Value]

    def _class(self, node: ast.ClassDef) -> None:
        if getattr(node, "type_params", None):
            self._note(node, "type parameters", ">=3.12")
        for decorator in node.decorator_list:
            self._expr(decorator)
        paths: list[str] = []
        own = {one.name for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
        known = bool(node.bases)
        for base in node.bases:
            value = self._expr(base)
            if isinstance(value, Sub):
                paths += value.paths
                own |= value.own
            elif isinstance(value, tuple) and value and not any(one.startswith((OTHER, STAR)) for one in value):
                paths += value
            else:
                known = known and isinstance(base, ast.Name) and base.id == "object"
        for keyword in node.keywords:
            self._expr(keyword.value)
        sub = Sub(tuple(paths) if known else (), frozenset(own))
        self._habits(habits.of_class(node, sub.paths), node)
        self._selfs = {"self.": ()}
        selfs = self._selfs
        self._scopes.append({})
        instance = Sub(sub.paths, sub.own, instance=True)
        for statement in node.body:
            self._selfs = selfs
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                static = any(
                    getattr(one, "id", "") in ("staticmethod", "classmethod") for one in statement.decorator_list
                )
                self._function(statement, Sub((), frozenset()) if static else instance)
            else:
                self._statement(statement)
        self._scopes.pop()
        self._scopes[-1][node.name] = sub if sub.paths else ()

    # expressions

    def _expr(self, node: ast.expr) -> Value:
        """Note what an expression uses; tell what it stands for."""
        handler = self._expressions.get(type(node))
        if handler is not None:
            found = handler(node)
            if type(node) is ast.NamedExpr:
                self._note(node, *NEWER["NamedExpr"])
            return found
        if type(node).__name__ in NEWER:
            self._note(node, *NEWER[type(node).__name__])
        self._children(node)
        return ()

    def _name(self, node: ast.Name) -> Value:
        value = self.lookup(node.id)
        if value is not None:
            return value
        if node.id in _TWO_ONLY and not self._loose:
            self._unbound.setdefault(node.id, node.lineno)
        if self._stars and not modules.is_builtin(node.id):
            paths = tuple(f"{STAR}{one}.{node.id}" if one != OTHER else OTHER for one in self._stars)
            if OTHER not in paths:
                self._use(paths, node.lineno)
                return paths
        return ()

    def _attribute(self, node: ast.Attribute) -> Value:
        value = self._reached(node)
        if isinstance(value, tuple) and value:
            self._use(value, node.end_lineno or node.lineno)
        return value

    def _reached(self, node: ast.Attribute) -> Value:
        """What an attribute stands for; what its owner uses is noted, itself is not."""
        self._habits(habits.of_attribute(node), node)
        if isinstance(node.value, ast.Name):
            kept = self.lookup(f"{node.value.id}.{node.attr}")
            if kept is not None:
                return kept
        value = self._inner(node.value)
        if isinstance(value, Symbolic):
            self._habits(habits.of_symbolic_attribute(node), node)
        if isinstance(value, Sub):
            if value.instance and node.attr not in value.own:
                return tuple(f"{path}{INSTANCE}.{node.attr}" for path in value.paths)
            return ()
        if isinstance(value, tuple):
            return tuple(f"{path}.{node.attr}" for path in value)
        return ()

    def _inner(self, node: ast.expr) -> Value:
        return self._reached(node) if isinstance(node, ast.Attribute) else self._expr(node)

    def _call(self, node: ast.Call) -> Value:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in ("getattr", "hasattr") and len(node.args) > 1 and isinstance(function, ast.Name):
            return self._getattr(node)
        if name in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            return self._imported(node, str(node.args[0].value))
        if name in ("setdefault", "putenv") and node.args:
            self._environ(node.args[0])
        called = self._inner(function)
        line = function.end_lineno or function.lineno
        keywords = tuple(one.arg for one in node.keywords if one.arg)
        if isinstance(called, tuple) and called and (keywords or isinstance(function, ast.Attribute)):
            self._use(called, line, keywords)
        self._habits(habits.of_call(node, name, called), node)
        given = [self._expr(one) for one in (*node.args, *(keyword.value for keyword in node.keywords))]
        if Symbolic() in given and isinstance(called, tuple) and called:
            self._habits(habits.of_symbolic(called), node)
        if habits.gives_symbolic(called, given):
            return Symbolic()
        if isinstance(called, Sub):
            return Sub(called.paths, called.own, instance=True) if not called.instance else ()
        if not isinstance(called, tuple) or any(path.startswith(OTHER) for path in called):
            return ()
        return tuple(f"{path}{INSTANCE}" for path in called if INSTANCE not in path)

    def _getattr(self, node: ast.Call) -> Value:
        value, wanted = self._expr(node.args[0]), node.args[1]
        for one in node.args[2:]:
            self._expr(one)
        if not isinstance(value, tuple) or not isinstance(wanted, ast.Constant) or not value:
            return ()
        if getattr(node.func, "id", "") == "hasattr":
            return ()
        paths = tuple(f"{path}.{wanted.value!s}" for path in value)
        if len(node.args) > 2:  # there is another way
            return (*paths, OTHER)
        self._use(paths, node.lineno)
        return paths

    def _imported(self, node: ast.Call, module: str) -> Value:
        top, _, rest = module.partition(".")
        root = self._root(top, node.lineno)
        if root is None:
            return (f"{OTHER}{module}",)
        path = f"{root}.{rest}" if rest else root
        if rest:
            self._use((path,), node.lineno)
        return (path,)

    def _environ(self, key: ast.expr) -> None:
        if isinstance(key, ast.Constant) and key.value == _LEGACY:
            self.legacy = True

    def _bool(self, node: ast.BoolOp) -> Value:
        live, values = self._live, []
        for one in node.values:
            values.append(self._expr(one))
            condition = self._guards.condition(one)
            if condition is not None:
                self._live &= condition.true if isinstance(node.op, ast.And) else condition.false
        self._live = live
        return either(values) if any(values) else ()

    def _choice(self, node: ast.IfExp) -> Value:
        self._expr(node.test)
        condition, live = self._guards.condition(node.test), self._live
        if condition is not None:
            self._live = live & condition.true
        first = self._expr(node.body)
        if condition is not None:
            self._live = live & condition.false
        second = self._expr(node.orelse)
        self._live = live
        return either((first, second)) if first or second else ()

    def _lambda(self, node: ast.Lambda) -> Value:
        self._signature(node.args)
        self._scopes.append(dict.fromkeys(_names(node.args), ()))
        self._expr(node.body)
        self._scopes.pop()
        return ()

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self._value(node.value)
        self._bind(node.target, value)
        return value

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        self._scopes.append({})
        for one in node.generators:
            self._expr(one.iter)
            self._bind(one.target, ())
            for test in one.ifs:
                self._expr(test)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._expr(part)
        self._scopes.pop()
        return ()

    def _several(self, node: ast.List | ast.Tuple) -> Value:
        """A function that takes a list takes each of its items."""
        return Symbolic() if Symbolic() in [self._expr(one) for one in node.elts] else ()

    def _habits(self, found: Iterable[tuple[str, str]], node: ast.expr | ast.stmt) -> None:
        if self._live:
            self.habits += [Habit(line=node.lineno, rule=rule, text=text, live=self._live) for rule, text in found]


def _is_test(node: ast.expr) -> bool:
    """Does it give true or false?"""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in ("hasattr", "startswith", "find_spec", "bool", "enabled")
    return isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _is_main(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "__name__"


def _asks_python(node: ast.expr) -> bool:
    """Does a condition ask for the Python at hand?"""
    return any(
        (isinstance(one, ast.Attribute) and one.attr in ("version_info", "PY2", "PY3", "version", "hexversion"))
        or (isinstance(one, ast.Name) and one.id in ("PY2", "PY3", "version_info"))
        for one in ast.walk(node)
    )


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Does control never come out at the end of a block?"""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return _leaves(last.body)
    return isinstance(last, (ast.Raise, ast.Return, ast.Continue, ast.Break)) or _exits(last)


def _refuses(body: Sequence[ast.stmt]) -> bool:
    """Does a block end the program?"""
    return bool(body) and (isinstance(body[-1], ast.Raise) or _exits(body[-1]))


def _exits(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    function = node.value.func
    return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) in _ENDS


def _expressions(body: Sequence[ast.stmt]) -> Iterable[ast.expr]:
    return (one for statement in body for one in ast.walk(statement) if isinstance(one, ast.expr))


def _names(arguments: ast.arguments) -> list[str]:
    """The names of parameters; that of the instance comes first."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return [one.arg for one in every]
