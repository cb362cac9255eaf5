"""Members of classes, and parameters of callables."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfenv.harvest.public.objects import Class, Function, Property

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.harvest.public.bindings import Names
    from tfenv.harvest.public.objects import Value

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEPTH = 30
_NOTHING = {"object", "abc.ABC", "_abc.ABC", "ABC", "enum.Enum", "Enum", "typing.Protocol", "Protocol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An attribute of a class: a letter of `tfenv.symbols.rows.KINDS`, and the parameters if it is callable."""

    kind: str
    parameters: tuple[str, ...] | None = None
    abstract: bool = False


class Classes:
    """Members of classes, inherited ones included."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._orders: dict[tuple[str, str], tuple[Class, ...]] = {}
        self._own: dict[tuple[str, str], dict[str, Member]] = {}

    def order(self, one: Class, depth: int = _DEPTH) -> tuple[Class, ...]:
        """The class and its base classes, nearest first (in Python's C3 order)."""
        key = (one.module, one.name)
        if key not in self._orders:
            self._orders[key] = (one,)  # stop at a circle of base classes
            bases = [base for base in map(self._names.resolve, one.bases) if isinstance(base, Class)]
            lines = [list(self.order(base, depth - 1)) for base in bases] if depth else []
            self._orders[key] = (one, *_linearize([*lines, bases]))
        return self._orders[key]

    def members(self, one: Class) -> dict[str, Member]:
        """Public members, inherited ones included."""
        found: dict[str, Member] = {}
        for ancestor in self.order(one):
            for name, member in self.own(ancestor).items():
                if not name.startswith("_"):
                    found.setdefault(name, member)
        return found

    def parameters(self, one: Class) -> tuple[str, ...] | None:
        """Parameters of the constructor of a class; ``None`` if they are not known."""
        order = self.order(one)
        for maker in ("__init__", "__new__"):
            for ancestor in order:
                if ancestor.fields is not None and maker == "__new__":
                    return ancestor.fields
                own = self.own(ancestor)
                if maker in own:
                    return own[maker].parameters
        return () if self.complete(one) else None

    def complete(self, one: Class) -> bool:
        """Whether all base classes are known, so that a member that is not found does not exist."""
        for ancestor in self.order(one):
            if ancestor.node is None and ancestor.fields is None:
                return False
            bases = ancestor.node.bases if ancestor.node is not None else ()
            known = sum(isinstance(self._names.resolve(base), Class) for base in ancestor.bases)
            if known != sum(ast.unparse(base) not in _NOTHING for base in bases):
                return False
        return True

    def own(self, one: Class) -> Mapping[str, Member]:
        """Members that the class itself defines, private ones included."""
        key = (one.module, one.name)
        if key not in self._own:
            found: dict[str, Member] = {}
            self._own[key] = found
            if one.node is not None:
                self._body(one, one.node.body, found)
                if "__init__" not in found and _is_record(one.node):
                    fields = self._fields(one)
                    found["__init__"] = Member(kind="f", parameters=fields)
            elif one.fields is not None:
                found.update({name: Member(kind="p") for name in one.fields})
            for name, value in self._names.added.get(key, {}).items():
                found[name] = self._value(self._names.resolve(value))
        return self._own[key]

    def _fields(self, one: Class) -> tuple[str, ...]:
        """The fields of a data class or a named tuple with annotations."""
        names: dict[str, None] = {}
        for ancestor in reversed(self.order(one)):
            if ancestor.node is None or not _is_record(ancestor.node):
                continue
            for statement in ancestor.node.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    shared = ast.unparse(statement.annotation).startswith(("ClassVar", "typing.ClassVar"))
                    names |= {} if shared else {statement.target.id: None}
                elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
                    field = ast.unparse(statement.value.func) in ("attr.ib", "attr.attrib")
                    names |= {one.id: None for one in statement.targets if field and isinstance(one, ast.Name)}
        return tuple(name.lstrip("_") for name in names)

    def _body(self, one: Class, body: Iterable[ast.stmt], found: dict[str, Member]) -> None:
        for statement in body:
            if isinstance(statement, _FUNCTIONS):
                name = statement.name
                decorators = [ast.unparse(each) for each in statement.decorator_list]
                if any(each.endswith((".setter", ".deleter", ".getter")) for each in decorators) and name in found:
                    continue
                found[name] = _method(statement, decorators)
            elif isinstance(statement, ast.ClassDef):
                found[statement.name] = Member(kind="c")
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self._bind(one, target, statement.value, found)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                if statement.value is not None or (one.node is not None and _is_tuple(one.node)):
                    found[statement.target.id] = Member(kind="v")
            elif isinstance(statement, ast.If):
                self._body(one, statement.orelse, found)
                self._body(one, statement.body, found)
            elif isinstance(statement, ast.Try):
                self._body(one, statement.body, found)
            elif isinstance(statement, ast.Delete):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        found.pop(target.id, None)

    def _bind(self, one: Class, target: ast.expr, value: ast.expr, found: dict[str, Member]) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self._bind(one, each, ast.Constant(value=None), found)
            return
        if not isinstance(target, ast.Name):
            return
        if target.id == "__slots__" and isinstance(value, (ast.List, ast.Tuple)):
            slots = [slot.value for slot in value.elts if isinstance(slot, ast.Constant)]
            found.update({slot: Member(kind="v") for slot in slots if isinstance(slot, str)})
        while isinstance(value, ast.Call) and value.args and not isinstance(value.args[0], ast.Constant):
            last = ast.unparse(value.func).rpartition(".")[2]
            if last in ("property", "abstractproperty", "classproperty"):
                found[target.id] = Member(kind="p")
                return
            value = value.args[0]
        if isinstance(value, ast.Name) and value.id in found:
            found[target.id] = found[value.id]
        elif isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "property":
            found[target.id] = Member(kind="p")
        elif isinstance(value, ast.Lambda):
            found[target.id] = Member(kind="f", parameters=_named(value.args)[1:])
        else:
            found[target.id] = self._elsewhere(one, value)

    def _elsewhere(self, one: Class, value: ast.expr) -> Member:
        """A member that is a function, a class, or a method of another class: `save = Base.save`."""
        if isinstance(value, (ast.Name, ast.Attribute)):
            return self._value(self._names.resolve(self._names.value(one.module, value)))
        return Member(kind="v")

    def _value(self, value: Value) -> Member:
        if isinstance(value, Function):
            return Member(kind="f", parameters=signature(value)[1:])
        if isinstance(value, Class):
            return Member(kind="c")
        return Member(kind="p" if isinstance(value, Property) else "v")


def signature(function: Function) -> tuple[str, ...]:
    """Names of the parameters, with stars."""
    return _named(function.node.args)[function.given :]


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str]) -> Member:
    lasts = [one.partition("(")[0].rpartition(".")[2] for one in decorators]
    if any("property" in last for last in lasts):
        return Member(kind="p")
    names = _named(node.args)
    if "staticmethod" not in lasts and names and not names[0].startswith("*"):
        names = names[1:]
    return Member(kind="f", parameters=names)


def _named(arguments: ast.arguments) -> tuple[str, ...]:
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    names += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    names += [one.arg for one in arguments.kwonlyargs]
    names += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return tuple(names)


def _is_tuple(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2] == "NamedTuple" for base in node.bases)


def _is_record(node: ast.ClassDef) -> bool:
    """Whether the constructor of a class is generated from its fields."""
    decorators = [ast.unparse(one).partition("(")[0] for one in node.decorator_list]
    records = {"dataclass", "dataclasses.dataclass", "attr.s", "attr.attrs", "attr.dataclass"}
    return _is_tuple(node) or any(one in records for one in decorators)


def _linearize(lines: list[list[Class]]) -> list[Class]:
    """Merge as C3 does; if that fails because a base is unknown, take the first candidate."""
    keyed = [[((one.module, one.name), one) for one in line] for line in lines]
    found: list[Class] = []
    while any(keyed):
        keyed = [line for line in keyed if line]
        tails = {key for line in keyed for key, _ in line[1:]}
        key, best = next((line[0] for line in keyed if line[0][0] not in tails), keyed[0][0])
        found.append(best)
        keyed = [[pair for pair in line if pair[0] != key] for line in keyed]
    return found
