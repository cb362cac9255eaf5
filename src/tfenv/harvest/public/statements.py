"""The objects that the names of a module refer to: its statements are followed one by one, as an import runs them.

Imports (also `*`), definitions, plain assignments, `del`, `setattr` on modules, `LazyLoader`, and TensorFlow's own
`remove_undocumented` and `make_all` are followed. All branches of an `if` count unless the
value of its test is known; of a `try`, only the body counts.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

from tfenv.harvest.public.evaluator import Evaluator, string
from tfenv.harvest.public.objects import Class, Function, Module, Other, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.harvest.public.objects import Value

_MENTIONED = re.compile(r"^@@(\w+)$", re.MULTILINE)
_COMPARED = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq}
_STARS = 4
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Follower(Evaluator):
    """Follows the statements of one module."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow the statements in order."""
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom):
            self._import_from(node)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self._names[alias.asname] = self._module_value(alias.name)
                else:
                    top = alias.name.partition(".")[0]
                    self._names[top] = self._module_value(top)
        elif isinstance(node, FUNCTIONS):
            self._names[node.name] = Function(self._module, node.name, node)
        elif isinstance(node, ast.ClassDef):
            self._names[node.name] = Class(self._module, node.name, node, bases=tuple(self._bases(node)))
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            text = self._text(node.value)
            for target in node.targets:
                self._assign(target, value, node.value)
                if isinstance(target, ast.Name) and text is not None:
                    self._strings[target.id] = text
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
                    self._switches[target.id] = self._truth(node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._assign(node.target, self.value(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name) and node.target.id == "__all__":
                self._extend_all(node.value)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self._names.pop(target.id, None)
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, ast.Try):
            before = set(self._names)
            self.run(node.body)
            made = {name: self._names[name] for name in self._names if name not in before}
            for handler in node.handlers:
                self.run(handler.body)
            self._names.update(made)
            self.run(node.orelse)
            self.run(node.finalbody)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    self._names[item.optional_vars.id] = Other()
            self.run(node.body)
        elif isinstance(node, (ast.For, ast.While)):
            self._loop(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._call(node.value)

    def _loop(self, node: ast.For | ast.While) -> None:
        """Record the variable of a loop; the body of the loop is not followed."""
        if isinstance(node, ast.For):
            for target in ast.walk(node.target):
                if isinstance(target, ast.Name):
                    self._names[target.id] = Other()
            for statement in node.body:
                for inner in ast.walk(statement):
                    if isinstance(inner, ast.Assign):
                        for target in inner.targets:
                            if isinstance(target, ast.Name):
                                self._names[target.id] = Other()

    def _if(self, node: ast.If) -> None:
        truth = self._truth(node.test)
        if truth is not False:
            self.run(node.body)
        if truth is False:
            self.run(node.orelse)
        elif truth is None and node.orelse:
            before = dict(self._names)
            self.run(node.orelse)
            self._names.update(before)

    def _truth(self, test: ast.expr) -> bool | None:
        """The value of a test for the Python version, a type checker or a backend of Keras."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._truth(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.Call) and ast.unparse(test.func).endswith("environ.get"):  # nobody sets it
            return any(isinstance(one, ast.Constant) and bool(one.value) for one in test.args[1:])
        text = ast.unparse(test)
        if text in self._switches:
            return self._switches[text]
        if text.endswith("TYPE_CHECKING"):
            return False
        if text in ("six.PY2", "_six.PY2"):
            return False
        if text in ("six.PY3", "_six.PY3"):
            return True
        if isinstance(test, ast.Compare) and text.startswith(("_BACKEND == ", "K.backend() == ")):
            return string(test.comparators[0]) == "tensorflow"
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and "version_info" in text:
            try:
                right = ast.literal_eval(test.comparators[0])
            except ValueError:
                return None
            left: Any = self._all.python
            if not isinstance(right, tuple):
                left = self._all.python[0]
            elif "[:" in text:
                left = self._all.python[: len(right)]
            compared = _COMPARED.get(type(test.ops[0]))
            try:
                return None if compared is None else bool(compared(left, right))
            except TypeError:
                return None
        return None

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            base = self._package.split(".")
            base = base[: len(base) - node.level + 1]
            module = ".".join([*base, *([module] if module else [])])
        if module == "__future__":
            for alias in node.names:
                self._names[alias.asname or alias.name] = Other(future=True)
            return
        if module.startswith("tensorflow_core"):
            module = f"tensorflow{module.removeprefix('tensorflow_core')}"
        module = self._all.world.home(module)
        for alias in node.names:
            if alias.name != "*":
                self._names[alias.asname or alias.name] = self._from(module, alias.name)
            elif module in self._all.world:
                self._space.starred.append(module)
                space = self._all.space(module)
                public = space.listed
                if public is None:
                    public = [name for name in space.names if not name.startswith("_") or name in space.dunders]
                for name in public:
                    if self._all.attribute(module, name) is not None:
                        self._names[name] = self._from(module, name)
                        self._space.brought.add(name)

    def _from(self, module: str, name: str) -> Value:
        """Import a name from a package; it may be a submodule, unless the package defines the name."""
        whole = f"{module}.{name}"
        if whole in self._all.linked:
            return Module(whole, link=True)
        if module == self._module and whole in self._all.world:
            return Module(whole)
        return Ref(module, name)

    def _assign(self, target: ast.expr, value: Value, node: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if target.id == "__all__":
                self._set_all(node)
            else:
                self._names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = node.elts if isinstance(node, (ast.Tuple, ast.List)) else []
            for at, one in enumerate(target.elts):
                fits = len(parts) == len(target.elts)
                self._assign(one, self.value(parts[at]) if fits else Other(), parts[at] if fits else node)
        elif isinstance(target, ast.Attribute):
            self._put(self.value(target.value), target.attr, value)
            if target.attr == "__all__" and ast.unparse(node).startswith("[s for s in dir("):
                self._show_private(self.value(target.value))

    def _show_private(self, owner: Value) -> None:
        """`queues.__all__ = [s for s in dir(queues) if not s.startswith("__")]` of `tensorflow/python/estimator`."""
        module = self._all.resolve(owner)
        if isinstance(module, Module) and module.name in self._all.world:
            space = self._all.space(module.name)
            space.listed = [name for name in space.names if not name.startswith("__")]

    def _put(self, owner: Value, name: str, value: Value) -> None:
        """Set an attribute of a module or a class."""
        owner = self._all.resolve(owner)
        if isinstance(owner, Module) and owner.name in self._all.world and not owner.link:
            space = self._all.space(owner.name)
            space.names[name] = value
            if owner.name != self._module:
                space.given.add(name)
        elif isinstance(owner, Class):
            self._all.added.setdefault((owner.module, owner.name), {})[name] = value

    def _bases(self, node: ast.ClassDef) -> Iterable[Value]:
        for base in node.bases:
            if isinstance(base, ast.Call) and ast.unparse(base.func).endswith("with_metaclass"):
                yield from (self.value(one) for one in base.args[1:])
            elif isinstance(base, ast.Subscript):  # Generic[T]
                yield self.value(base.value)
            else:
                yield self.value(base)

    def _call(self, node: ast.Call) -> None:
        """Follow a call that is a statement."""
        last = ast.unparse(node.func).rpartition(".")[2].lstrip("_")
        if last == "setattr" and len(node.args) == 3:
            name = string(node.args[1])
            if name is not None:
                self._put(self.value(node.args[0]), name, self.value(node.args[2]))
        elif last == "package_hook":  # of tensorflow/python/tools/component_api_helper.py
            child = next((self._text(one.value) for one in node.keywords if one.arg == "child_package_str"), None)
            if child is not None:
                self._names[child.rpartition(".")[2]] = self._module_value(child)
        elif last == "reexport_tf_summary":  # of tensorboard/summary/_tf/summary/__init__.py
            older = "tensorflow._api.v1.compat.v2.summary"  # of 1.x that of 2.x
            source = older if older in self._all.world else "tensorflow.summary"
            self.run(ast.parse(f"from {source} import *").body)
        elif ast.unparse(node.func) == "globals().update" and node.args:
            self._update_globals(ast.unparse(node.args[0]))
        elif last == "remove_undocumented":
            self._remove_undocumented(node)
        elif last in ("extend", "append") and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "__all__" and node.args:
                self._extend_all(node.args[0] if last == "extend" else ast.List(elts=node.args))

    def _update_globals(self, source: str) -> None:
        """Follow what `keras.initializers` does since 2.4: add classes, also in snake case, and single objects."""
        functions = [one for one in self._all.world.parse(self._module).body if isinstance(one, FUNCTIONS)]
        made = [one for function in functions for one in function.body]
        for call in (one.value for one in made if isinstance(one, ast.Expr)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("populate_dict_with_module_objects"):
                for node in call.args[1].elts if isinstance(call.args[1], ast.List) else ():
                    self._classes_of(self._all.resolve(self.value(node)))
        for one in made:
            target = one.targets[0] if isinstance(one, ast.Assign) else None
            if not isinstance(one, ast.Assign) or not isinstance(target, ast.Subscript):
                continue
            name = string(target.slice)
            if name is not None and ast.unparse(target.value) == source:
                other = string(one.value.slice) if isinstance(one.value, ast.Subscript) else None
                self._names[name] = self.value(one.value) if other is None else self._names.get(other, Other())

    def _classes_of(self, module: Value) -> None:
        if isinstance(module, Module) and module.name in self._all.world:
            for name, value in self._all.space(module.name).names.items():
                if not name.startswith("_") and isinstance(self._all.resolve(value), Class):
                    self._names[name] = self._names[_snake(name)] = Ref(module.name, name)

    def _remove_undocumented(self, node: ast.Call) -> None:
        allowed = next((one.value for one in node.keywords if one.arg == "allowed_exception_list"), None)
        modules = next((one.value for one in node.keywords if one.arg == "doc_string_modules"), None)
        allowed = node.args[1] if len(node.args) > 1 else allowed
        modules = node.args[2] if len(node.args) > 2 else modules
        whose = node.args[0] if node.args else None
        if isinstance(whose, ast.Attribute) and whose.attr == "__name__":
            other = self._all.resolve(self.value(whose.value))
            if isinstance(other, Module) and other.name in self._all.world:
                self._all.space(other.name).left = frozenset(self._list(allowed))
            return
        keep = set(self._list(allowed)) | self._mentioned(modules)
        for name in [one for one in self._names if not one.startswith("_") and one not in keep]:
            del self._names[name]
        for name in keep - set(self._names):
            whole = self._submodule(name, self._module)
            if whole is not None:
                self._names[name] = Module(whole)
        self._space.cleaned = True

    def _submodule(self, name: str, module: str, depth: int = _STARS) -> str | None:
        """A submodule of this module, or of one imported by `*`, which also imports submodules."""
        if f"{module}.{name}" in self._all.world:
            return f"{module}.{name}"
        starred = self._all.space(module).starred if depth else []
        return next((found for one in starred if (found := self._submodule(name, one, depth - 1))), None)

    def _mentioned(self, node: ast.expr | None) -> set[str]:
        """Names that docstrings of this module, or of the given ones, mention as `@@name`."""
        if node is None or not isinstance(node, (ast.List, ast.Tuple)):
            return set(_MENTIONED.findall(self._docstring))
        found: set[str] = set()
        for one in node.elts:
            value = self._all.resolve(self.value(one))
            if isinstance(value, Module) and value.name in self._all.world:
                docstring = ast.get_docstring(self._all.world.parse(value.name), clean=True) or ""
                found.update(_MENTIONED.findall(docstring))
        return found

    def _set_all(self, node: ast.expr) -> None:
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "make_all":
            mentioned = self._mentioned(node.args[1] if len(node.args) > 1 else None)
            self._space.listed = [name for name in self._names if name in mentioned]
        elif isinstance(node, (ast.List, ast.Tuple, ast.BinOp)):
            self._space.listed = self._list(node)
        else:
            self._space.listed = None
            for test in ast.walk(node) if isinstance(node, ast.ListComp) else ():  # [s for s in dir() if s in … or …]
                if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In):
                    self._space.dunders.update(self._list(test.comparators[0]))

    def _extend_all(self, node: ast.expr) -> None:
        if self._space.listed is not None:
            self._space.listed = [*self._space.listed, *self._list(node)]
        else:
            self._space.dunders.update(self._list(node))

    def _list(self, node: ast.expr | None) -> list[str]:
        """The strings of a list, or of a variable that holds a list built in this module."""
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [text for one in node.elts if (text := string(one)) is not None]
        if isinstance(node, ast.BinOp):
            return [*self._list(node.left), *self._list(node.right)]
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("set", "frozenset") and node.args:
            return self._list(node.args[0])
        if isinstance(node, ast.ListComp) and not node.generators[0].ifs:  # [s for s in names]
            return self._list(node.generators[0].iter)
        if isinstance(node, ast.Name):
            return self._built(node.id)
        if isinstance(node, ast.Attribute) and node.attr == "__all__":
            owner = self._all.resolve(self.value(node.value))
            if isinstance(owner, Module) and owner.name in self._all.world:
                return list(self._all.space(owner.name).listed or ())
        return []

    def _built(self, name: str) -> list[str]:
        found: list[str] = []
        for statement in self._all.world.parse(self._module).body:
            if isinstance(statement, ast.Assign) and any(
                isinstance(one, ast.Name) and one.id == name for one in statement.targets
            ):
                found = [] if isinstance(statement.value, ast.Name) else self._list(statement.value)
            elif isinstance(statement, ast.AugAssign) and ast.unparse(statement.target) == name:
                found += self._list(statement.value)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                call = statement.value
                if ast.unparse(call.func) == f"{name}.extend":
                    found += self._list(call.args[0])
                elif ast.unparse(call.func) == f"{name}.append":
                    found += [text for one in call.args if (text := string(one)) is not None]
        return found


def _snake(name: str) -> str:
    """The name in snake case, as `to_snake_case` of `keras/utils/generic_utils.py`."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
