"""Expressions of a Python file: which names of TensorFlow and Keras they use, and what each stands for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tfenv.infer.python import recognizers, standard_library
from tfenv.infer.python.flow import is_test, last_name, parameters
from tfenv.infer.python.meanings import INSTANCE, OTHER, STAR, Sub, Symbolic, Text, VersionExpression, either
from tfenv.infer.python.syntax import NEWER
from tfenv.infer.uses import Syntax

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.infer.python.guards import Guards
    from tfenv.infer.python.meanings import Value
    from tfenv.infer.python.record import Record
    from tfenv.infer.python.scopes import Scopes

_PYTHON_2_ONLY: Final = frozenset({"xrange", "raw_input", "unicode", "basestring", "unichr", "execfile"})


class Expressions:
    """Reads expressions in the scopes of the statement that is being read.

    Args:
        record: takes what is found.
        scopes: names that are bound so far.
        guards: works out conditions on the release.
    """

    def __init__(self, record: Record, scopes: Scopes, guards: Guards) -> None:
        self._record = record
        self._scopes = scopes
        self._guards = guards
        self._unbound: dict[str, int] = {}
        self._handlers: dict[type[ast.AST], Callable[..., Value]] = {
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
            ast.List: self._sequence,
            ast.Tuple: self._sequence,
        }

    def read(self, node: ast.expr) -> Value:
        """Record what an expression uses; returns what it stands for."""
        handler = self._handlers.get(type(node))
        if handler is not None:
            value = handler(node)
            if type(node) is ast.NamedExpr:
                self._record.syntax(node, *NEWER["NamedExpr"])
            return value
        if type(node).__name__ in NEWER:
            self._record.syntax(node, *NEWER[type(node).__name__])
        self._children(node)
        return ()

    def assigned(self, node: ast.expr) -> Value:
        """As `read`, for an expression that is given a name."""
        value = self.read(node)
        if not value and not isinstance(node, (ast.Constant, ast.Lambda)) and self._guards.asks(node):
            condition = self._guards.condition(node) if is_test(node) else None
            return condition or VersionExpression(node)
        if isinstance(node, ast.Constant) and node.value is None:
            return (OTHER,)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return Text(node.value)
        return value

    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a value to the target of an assignment."""
        self._scopes.bind(target, value, self.read)

    def signature(self, arguments: ast.arguments) -> None:
        """Read the defaults and annotations of a function's parameters."""
        if arguments.posonlyargs:
            self._record.syntax(arguments.posonlyargs[0], "positional-only parameters", ">=3.8")
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.read(default)
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                self.read(argument.annotation)

    def environment(self, key: ast.expr) -> None:
        """Record an environment variable that is set, if its name is written here."""
        if isinstance(key, ast.Constant):
            self._record.variable(key.value)

    def python_2_names(self) -> tuple[Syntax, ...]:
        """Names that only Python 2 has and that the file uses without binding them."""
        if self._scopes.stars:
            return ()
        bound = self._scopes.stack[0]
        return tuple(
            Syntax(line=line, text=f"`{name}`", python="<3")
            for name, line in self._unbound.items()
            if name not in bound
        )

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
            elif not isinstance(child, (ast.expr_context, ast.operator)):
                self._children(child)

    def _name(self, node: ast.Name) -> Value:
        value = self._scopes.lookup(node.id)
        if value is not None:
            return value
        if node.id in _PYTHON_2_ONLY and not self._record.loose:
            self._unbound.setdefault(node.id, node.lineno)
        stars = self._scopes.stars
        if stars and not standard_library.is_builtin(node.id):
            paths = tuple(f"{STAR}{module}.{node.id}" if module != OTHER else OTHER for module in stars)
            if OTHER not in paths:
                self._record.use(paths, node.lineno)
                return paths
        return ()

    def _attribute(self, node: ast.Attribute) -> Value:
        value = self._reached(node)
        if isinstance(value, tuple) and value:
            self._record.use(value, node.end_lineno or node.lineno)
        return value

    def _reached(self, node: ast.Attribute) -> Value:
        """What an attribute stands for. What its owner uses is recorded; the attribute itself is not."""
        self._record.habit(recognizers.of_attribute(node), node)
        if isinstance(node.value, ast.Name):
            kept = self._scopes.lookup(f"{node.value.id}.{node.attr}")
            if kept is not None:
                return kept
        value = self._inner(node.value)
        if isinstance(value, Symbolic):
            self._record.habit(recognizers.of_symbolic_attribute(node), node)
        if isinstance(value, Sub):
            if value.instance and node.attr not in value.own:
                return tuple(f"{path}{INSTANCE}.{node.attr}" for path in value.paths)
            return ()
        if isinstance(value, tuple):
            return tuple(f"{path}.{node.attr}" for path in value)
        return ()

    def _inner(self, node: ast.expr) -> Value:
        return self._reached(node) if isinstance(node, ast.Attribute) else self.read(node)

    def _call(self, node: ast.Call) -> Value:
        function = node.func
        name = last_name(function)
        if name in ("getattr", "hasattr") and len(node.args) > 1 and isinstance(function, ast.Name):
            return self._getattr(node)
        if name in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            return self._imported(node, str(node.args[0].value))
        if name in ("setdefault", "putenv") and node.args:
            self.environment(node.args[0])
        called = self._inner(function)
        line = function.end_lineno or function.lineno
        keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
        if isinstance(called, tuple) and called and (keywords or isinstance(function, ast.Attribute)):
            self._record.use(called, line, keywords)
        self._record.habit(recognizers.of_call(node, name, called), node)
        given = [self.read(argument) for argument in (*node.args, *(keyword.value for keyword in node.keywords))]
        if Symbolic() in given and isinstance(called, tuple) and called:
            self._record.habit(recognizers.of_symbolic(called), node)
        if recognizers.gives_symbolic(called, given):
            return Symbolic()
        if isinstance(called, Sub):
            return Sub(called.paths, called.own, instance=True) if not called.instance else ()
        if not isinstance(called, tuple) or any(path.startswith(OTHER) for path in called):
            return ()
        return tuple(f"{path}{INSTANCE}" for path in called if INSTANCE not in path)

    def _getattr(self, node: ast.Call) -> Value:
        value, wanted = self.read(node.args[0]), node.args[1]
        for default in node.args[2:]:
            self.read(default)
        if not isinstance(value, tuple) or not isinstance(wanted, ast.Constant) or not value:
            return ()
        if last_name(node.func) == "hasattr":
            return ()
        paths = tuple(f"{path}.{wanted.value!s}" for path in value)
        if len(node.args) > 2:  # the default takes its place where it is missing
            return (*paths, OTHER)
        self._record.use(paths, node.lineno)
        return paths

    def _imported(self, node: ast.Call, module: str) -> Value:
        top, _, rest = module.partition(".")
        root = self._record.root(top, node.lineno)
        if root is None:
            return (f"{OTHER}{module}",)
        path = f"{root}.{rest}" if rest else root
        if rest:
            self._record.use((path,), node.lineno)
        return (path,)

    def _bool(self, node: ast.BoolOp) -> Value:
        live, values = self._record.live, []
        forks = self._record.forks
        for operand in node.values:
            values.append(self.read(operand))
            condition = self._guards.condition(operand)
            if condition is not None:
                self._record.live &= condition.true if isinstance(node.op, ast.And) else condition.false
            else:
                self._record.forks += 1
        self._record.live, self._record.forks = live, forks
        return either(values) if any(values) else ()

    def _choice(self, node: ast.IfExp) -> Value:
        self.read(node.test)
        condition, live = self._guards.condition(node.test), self._record.live
        if condition is not None:
            self._record.live = live & condition.true
        self._record.forks += condition is None
        first = self.read(node.body)
        if condition is not None:
            self._record.live = live & condition.false
        second = self.read(node.orelse)
        self._record.forks -= condition is None
        self._record.live = live
        return either((first, second)) if first or second else ()

    def _lambda(self, node: ast.Lambda) -> Value:
        self.signature(node.args)
        self._scopes.stack.append(dict.fromkeys(parameters(node.args), ()))
        self._record.forks += 1
        self.read(node.body)
        self._record.forks -= 1
        self._scopes.stack.pop()
        return ()

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.assigned(node.value)
        self.bind(node.target, value)
        return value

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        self._scopes.stack.append({})
        for generator in node.generators:
            self.read(generator.iter)
            self.bind(generator.target, ())
            for test in generator.ifs:
                self.read(test)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.read(part)
        self._scopes.stack.pop()
        return ()

    def _sequence(self, node: ast.List | ast.Tuple) -> Value:
        """A list that holds a symbolic tensor counts as one: a function that takes a list takes each of its items."""
        return Symbolic() if Symbolic() in [self.read(element) for element in node.elts] else ()
