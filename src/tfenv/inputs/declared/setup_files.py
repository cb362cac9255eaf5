"""`setup.cfg`, and `setup.py`, which is read as syntax and never run.

Source: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from __future__ import annotations

import ast
import operator
from configparser import ConfigParser, Error
from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError
from tfenv.inputs.declared.declared import Collector, DependencyFile, specifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_DEPTH = 10
"""names that are followed from one assignment to the next"""
_PYTHON = (3, 12)
_OPERATORS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def of_cfg(content: str, name: str) -> DependencyFile:
    """What `[options]` of a `setup.cfg` declares.

    Raises:
        UsageError: the text is not a configuration file.
    """
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(content)
    except Error as error:
        raise UsageError(f"`{name}` cannot be read: {str(error).splitlines()[0]}") from None
    found = Collector(name=name)
    wanted = parser.get("options", "install_requires", fallback="")
    files: tuple[str, ...] = ()
    if wanted.strip().startswith("file:"):
        files = tuple(part.strip() for part in wanted.strip().removeprefix("file:").split(",") if part.strip())
    else:
        found.lines(
            wanted.replace(";\n", "\n") if "\n" in wanted else "\n".join(wanted.split(";")), "options.install_requires"
        )
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=specifier(parser.get("options", "python_requires", fallback=None)),
        elsewhere=tuple(found.elsewhere),
        files=files,
        notes=tuple(found.notes),
    )


def of_py(content: str, name: str) -> DependencyFile:
    """What the call of `setup()` declares, as far as it is written and not computed.

    Raises:
        UsageError: the file is not Python.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"`{name}` is not Python 3: {getattr(error, 'msg', None) or error}",
            hint="name its requirements with `-r` or `--with`",
        ) from None
    module = _Module(tree)
    call = next((node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "setup"), None)
    if call is None:
        return DependencyFile(notes=(f"{name}: there is no call of `setup()`, so nothing is read from it",))
    written = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None:  # setup(**settings)
            written = {**_items(module.followed(keyword.value)), **written}
    found = Collector(name=name)
    files: tuple[str, ...] = ()
    if (wanted := written.get("install_requires")) is not None:
        values = module.texts(wanted)
        if values is not None:
            found.lines(values, "install_requires")
        elif named := sorted(set(module.files(wanted))):
            files = tuple(named)
            found.note(f"{name}: `install_requires` is computed; {' and '.join(named)} is read instead")
        else:
            found.note(f"{name}:{wanted.lineno}: `install_requires` is computed, and left out: setup.py is not run")
    for line in sorted(module.undecided):
        found.note(f"{name}:{line}: what depends on this condition is read as if it held")
    python = module.texts(written["python_requires"]) if "python_requires" in written else None
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=specifier(python[0]) if python else None,
        elsewhere=tuple(found.elsewhere),
        files=files,
        notes=tuple(found.notes),
    )


class _Replaced(ast.NodeTransformer):
    """Puts what `with` opens in place of the name that it has inside, which another `with` may use again."""

    def __init__(self, opened: Mapping[str, ast.expr]) -> None:
        self._opened = opened

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The expression that a name stands for."""
        return self._opened.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


class _Module:
    """The names of a module, by its statements in their order.

    Attributes:
        undecided: lines of the conditions that only a run would decide, and that change a name.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.undecided: set[int] = set()
        self._values: dict[str, list[ast.expr]] = {}
        self._functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._run(tree.body)
        for function in self._functions.values():
            if any(isinstance(node, ast.Call) and _called(node) == "setup" for node in ast.walk(function)):
                self._run(function.body)

    def _run(self, body: list[ast.stmt]) -> None:
        for node in body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._values[name] = [value]
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._values[name] = [value]
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                    self._values.setdefault(name, []).append(value)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[value])):
                    added = ast.List(elts=[value], ctx=ast.Load()) if method == "append" else value
                    if method in ("append", "extend"):
                        self._values.setdefault(name, []).append(added)
                case ast.With(items=items, body=inner):
                    opened = {
                        item.optional_vars.id: item.context_expr
                        for item in items
                        if isinstance(item.optional_vars, ast.Name)
                    }
                    self._run([_Replaced(opened).visit(each) for each in inner])
                case ast.Try(body=inner):
                    self._run(inner)
                case ast.If(test=test, body=inner, orelse=other):
                    self._choose(test, inner, other)

    def _choose(self, test: ast.expr, body: list[ast.stmt], other: list[ast.stmt]) -> None:
        holds = _holds(test)
        if holds is not None:
            self._run(body if holds else other)
            return
        before = {name: len(values) for name, values in self._values.items()}
        self._run(body)
        if before != {name: len(values) for name, values in self._values.items() if name in before}:
            self.undecided.add(test.lineno)

    def followed(self, node: ast.expr) -> ast.expr | None:
        """The only value of a name, or the expression itself."""
        if not isinstance(node, ast.Name):
            return node
        values = self._values.get(node.id, [])
        return values[0] if len(values) == 1 else None

    def texts(self, node: ast.expr, depth: int = 0) -> list[str] | None:
        """The texts that an expression holds; ``None`` if it is computed."""
        if depth > _DEPTH:
            return None
        match node:
            case ast.Constant(value=str() as value):
                return [value]
            case ast.JoinedStr(values=parts):
                pieces = [
                    self.texts(part.value if isinstance(part, ast.FormattedValue) else part, depth + 1)
                    for part in parts
                ]
                return ["".join(each[0] for each in pieces if each)] if all(each for each in pieces) else None
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                every = [self.texts(part.value if isinstance(part, ast.Starred) else part, depth + 1) for part in parts]
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                every = [self.texts(left, depth + 1), self.texts(right, depth + 1)]
            case ast.Name(id=name) if values := self._values.get(name):
                every = [self.texts(value, depth + 1) for value in values]
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)):
                held = _items(self.followed(value)).get(key)
                return None if held is None else self.texts(held, depth + 1)
            case _:
                return None
        return None if any(each is None for each in every) else [one for each in every if each for one in each]

    def files(self, node: ast.AST, depth: int = 0) -> Iterator[str]:
        """Names of requirements files in an expression, in the values of its names, and in the functions it calls."""
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                if part.value.endswith((".txt", ".in")) and "readme" not in part.value.lower():
                    yield part.value
            elif isinstance(part, ast.Name) and depth < _DEPTH:
                for value in self._values.get(part.id, []):
                    yield from self.files(value, depth + 1)
                if part.id in self._functions:
                    yield from self.files(self._functions[part.id], depth + _DEPTH // 2)


def _holds(test: ast.expr) -> bool | None:
    """Whether a condition on the interpreter holds on a Python 3 of today, on Linux; ``None`` if only a run decides."""
    match test:
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _holds(operand)
            return None if inner is None else not inner
        case _:
            return None
    known = {"sys.version_info": _PYTHON, "sys.version_info[0]": _PYTHON[0], "sys.version_info.major": _PYTHON[0]}
    known |= {"sys.platform": "linux", "os.name": "posix", "__name__": "__main__", "platform.system()": "Linux"}
    ours = known.get(ast.unparse(left))
    try:
        theirs = ast.literal_eval(right)
    except ValueError:
        return None
    compare = _OPERATORS.get(type(sign))
    if ours is None or compare is None or type(ours) is not type(theirs):
        return None
    return bool(compare(ours, theirs))


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _items(node: ast.expr | None) -> dict[str, ast.expr]:
    """The entries of a dictionary that is written out."""
    if isinstance(node, ast.Call) and _called(node) == "dict":
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}
