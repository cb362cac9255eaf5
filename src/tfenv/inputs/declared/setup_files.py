"""`setup.cfg`, and `setup.py`, which is read as syntax and never run.

Source: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from __future__ import annotations

import ast
from configparser import ConfigParser, Error
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.inputs.declared.declared import Collector, DependencyFile, specifier

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 20
"""names that are followed from one assignment to the next"""


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
    call = next((node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "setup"), None)
    if call is None:
        return DependencyFile(notes=(f"{name}: there is no call of `setup()`, so nothing is read from it",))
    written = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None:  # setup(**settings)
            written = {**_items(_followed(keyword.value, tree)), **written}
    found = Collector(name=name)
    files: tuple[str, ...] = ()
    if (wanted := written.get("install_requires")) is not None:
        values = _strings(wanted, tree)
        if values is not None:
            found.lines(values, "install_requires")
        elif named := sorted(_files(wanted, tree)):
            files = tuple(named)
            found.note(
                f"{name}: `install_requires` is computed; {' and '.join(named)}, which it names, is read instead"
            )
        else:
            found.note(
                f"{name}:{wanted.lineno}: `install_requires` is computed, and setup.py is not run: it is left out"
            )
    python = _strings(written["python_requires"], tree) if "python_requires" in written else None
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=specifier(python[0]) if python else None,
        elsewhere=tuple(found.elsewhere),
        files=files,
        notes=tuple(found.notes),
    )


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


def _assigned(name: str, tree: ast.Module) -> list[ast.expr]:
    """The values that a name of the module gets, by plain and augmented assignments."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            found.append(node.value)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign) and isinstance(node.target, ast.Name):
            found += [node.value] if node.target.id == name and node.value is not None else []
    return found


def _followed(node: ast.expr, tree: ast.Module) -> ast.expr | None:
    """The only value of a name, or the expression itself."""
    if not isinstance(node, ast.Name):
        return node
    values = _assigned(node.id, tree)
    return values[0] if len(values) == 1 else None


def _strings(node: ast.expr, tree: ast.Module, depth: int = 0) -> list[str] | None:
    """The texts that an expression holds; ``None`` if it is computed."""
    if depth > _DEPTH:
        return None
    match node:
        case ast.Constant(value=str() as value):
            return [value]
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            every = [_strings(part.value if isinstance(part, ast.Starred) else part, tree, depth + 1) for part in parts]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            every = [_strings(left, tree, depth + 1), _strings(right, tree, depth + 1)]
        case ast.Name(id=name) if values := _assigned(name, tree):
            every = [_strings(value, tree, depth + 1) for value in values]
        case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)):
            held = _items(_followed(value, tree)).get(key)
            return None if held is None else _strings(held, tree, depth + 1)
        case _:
            return None
    return None if any(each is None for each in every) else [one for each in every if each for one in each]


def _files(node: ast.AST, tree: ast.Module, depth: int = 0) -> Iterator[str]:
    """Names of requirements files in an expression, and in what it calls."""
    seen = set[str]()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.endswith((".txt", ".in")):
            if "readme" not in part.value.lower() and part.value not in seen:
                seen.add(part.value)
                yield part.value
        elif isinstance(part, ast.Name) and depth < _DEPTH and part.id not in seen:
            seen.add(part.id)
            for value in _assigned(part.id, tree):
                yield from _files(value, tree, depth + 1)
            for function in tree.body:
                if isinstance(function, ast.FunctionDef) and function.name == part.id:
                    yield from _files(function, tree, depth + 5)
