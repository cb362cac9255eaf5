"""Runs inside an environment (Python 3.6 on): walks the public API of a package that is installed there.

Usage: ``python probe.py PACKAGE OUTPUT.json``. The answer maps each dotted name to its kind (m, c, f, p, v) and the names
of its parameters (null where the signature cannot be had). Modules of Keras up to 2.12 and of `tensorflow.python.keras`
that can be imported, but are not shown, are listed as `inner` (or `failed`, if they cannot); of those the names are
told, no more.
"""

import __future__

import ast
import enum
import importlib
import inspect
import json
import os
import re
import sys
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

DUNDERS = {
    "__version__",
    "__git_version__",
    "__compiler_version__",
    "__cxx11_abi_flag__",
    "__cxx_version__",
    "__monolithic_build__",
    "__internal__",
    "__operators__",
    "_tf_keras",
}
OURS = ("tensorflow", "tensorflow_core", "keras", "tf_keras", "tensorflow_estimator", "tensorboard")
LENT = ("absl", "keras_preprocessing")
GENERATED = re.compile(
    r"(^|\.)(_api|api|_tf_keras)(\.|$)|^tensorflow$|^keras$|^tf_keras$|^tensorflow\.(tools\.api\.|compat\.v[12]$)"
)
ENDLESS = re.compile(r"(^|\.)compat\.v[12]\.(.*\.)?compat\.v[12]$")
SKIPPED = {"tensorflow.python", "tensorflow.core", "tensorflow.compiler", "keras.src", "tensorflow.dtensor"}
SKIPPED |= {
    "tensorflow.security",
    "tensorflow.python.pywrap_tensorflow",
    "tensorflow.tsl",
    "tensorflow.tools",
    "tensorflow.include",
    "tensorflow.xla",
}


INNER_LEFT_OUT = re.compile(
    r"\._|\bkeras\.(api|protobuf)(\.|$)|(^|\.)(\w*_tests?|tests|\w*benchmarks?|\w*_benchmark_\w*)(\.|$)"
)
OF_KERAS = re.compile(r"keras(_applications|_preprocessing)?(\.|$)|tensorflow\.(.*\.)?keras(\.|$)")


def real_name(module):
    name = getattr(module, "__name__", "")
    return re.sub(r"^tensorflow_core", "tensorflow", name)


def explicit(path, seen):
    """Names that the source of a module binds itself, or has from a `*` import; None without a source."""
    if not path or not path.endswith(".py") or not os.path.isfile(path):
        return None
    if path in seen:
        return set()
    seen.add(path)
    with open(path, "rb") as stream:
        tree = ast.parse(stream.read())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    source = sys.modules.get(node.module or "")
                    listed = getattr(source, "__all__", None)
                    found |= set(listed or ()) or explicit(getattr(source, "__file__", None), seen) or set()
                else:
                    found.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Str if sys.version_info < (3, 8) else ast.Constant)):
            text = node.s if sys.version_info < (3, 8) else node.value
            if isinstance(text, str) and text.isidentifier():
                found.add(text)  # setattr(module, "name", …), allowed names
    return found


def cleaned(module):
    try:
        path = module.__file__
        with open(path, encoding="utf-8", errors="replace") as stream:
            return "remove_undocumented(__name__" in stream.read().replace("\n", "").replace(" ", "")
    except Exception:
        return False


class Walk:
    def __init__(self):
        self.found = {}
        self.errors = []
        self.walked = {}

    def module(self, module, path, above):
        try:
            names = sorted(set(dir(module)))
        except Exception as error:
            self.errors.append([path, repr(error)])
            return
        here = real_name(module)
        bound = explicit(getattr(module, "__file__", None), set())
        listed = set(getattr(module, "__all__", None) or ())
        tidy = True if "/_api/" in (getattr(module, "__file__", None) or "") else None
        for name in names:
            if name.startswith("_") and name not in DUNDERS:
                continue
            there = path + "." + name if path else name
            try:
                value = getattr(module, name)
            except Exception as error:
                self.errors.append([there, repr(error)])
                continue
            if isinstance(value, types.ModuleType):
                try:
                    dir(value)
                except Exception as error:
                    self.errors.append([there, repr(error)])
                    continue
                real = real_name(value)
                if real.split(".")[0] not in OURS or real in SKIPPED:
                    if real not in SKIPPED and "_api" in here.split("."):
                        self.found[there] = ["v", None]  # somebody else's, shown on purpose: `test.mock`
                    continue
                if tidy is None:
                    tidy = cleaned(module)
                beside = "keras.api._v2." + real in sys.modules
                if bound is not None and name not in bound and real == here + "." + name and not beside:
                    continue  # a module that is there because something imported it
                shown_on = here.startswith("tensorboard.") and GENERATED.search(real)  # `tf.summary.experimental`
                child = real.startswith(here + ".") or GENERATED.search(here) or tidy or name in listed or shown_on
                if child and real not in above and not ENDLESS.search(there) and len(above) <= 12:
                    self.found[there] = ["m", None]
                    self.module(value, there, above | {real})
            elif inspect.isclass(value):
                self.found[there] = ["c", made_with(value)]
                self.members(value, there)
            elif isinstance(value, type(__future__.division)):
                continue
            elif callable(value):
                self.found[there] = ["f", signature(value)]
            else:
                self.found[there] = ["v", None]

    def members(self, cls, path):
        for name in sorted(set(dir(cls)).union(*(vars(owner) for owner in cls.__mro__))):
            if name.startswith("_"):
                continue
            for owner in cls.__mro__:
                if name in vars(owner):
                    break
            else:
                continue
            module = re.sub(r"^tensorflow_core", "tensorflow", getattr(owner, "__module__", "") or "")
            if module.split(".")[0] not in OURS + LENT or "_pywrap" in module or "_pb2" in module:
                continue
            raw = vars(owner)[name]
            if isinstance(raw, property) or (hasattr(raw, "__get__") and hasattr(raw, "fget")):
                self.found[path + "." + name] = ["p", None]
                continue
            try:
                value = getattr(cls, name)
            except Exception:
                self.found[path + "." + name] = ["p", None]
                continue
            if inspect.isclass(value):
                self.found[path + "." + name] = ["c", None]
            elif callable(value):
                names = signature(value)
                if names and isinstance(value, types.FunctionType) and not isinstance(raw, staticmethod):
                    names = names[1:] if not names[0].startswith("*") else names
                self.found[path + "." + name] = ["f", names]
            else:
                self.found[path + "." + name] = ["v", None]


def below(package):
    """The modules of a package by their files, imported or not."""
    top = os.path.dirname(importlib.import_module(package).__file__)
    for folder, _, files in os.walk(top):
        for file in files:
            if file.endswith(".py"):
                parts = [package] + os.path.relpath(os.path.join(folder, file), top)[:-3].split(os.sep)
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def candidates(package):
    """Modules that may be inner ones."""
    if package == "tensorflow":
        try:
            return ["tensorflow.python"] + sorted(below("tensorflow.python.keras"))
        except ImportError:
            return []
    apart = os.path.isdir(os.path.join(os.path.dirname(sys.modules[package].__file__), "src"))
    return [] if apart else sorted(below(package))


def foreign(module):
    """Names that a module has by import from elsewhere than Keras."""
    with open(module.__file__, "rb") as stream:
        tree = ast.parse(stream.read())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.ImportFrom, ast.Import)):
            source = getattr(node, "module", None) or ""
            if isinstance(node, ast.Import) or not (node.level or OF_KERAS.match(source)):
                found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return found


def of_keras(name, value, others):
    if inspect.isclass(value) or inspect.isroutine(value):
        return bool(OF_KERAS.match(re.sub(r"^tensorflow_core", "tensorflow", value.__module__ or "")))
    return name not in others


def inner(package, walk):
    """What can be imported from modules that are not shown, added to what was found; these modules, and what fails."""
    modules, failed = [], []
    for name in candidates(package):
        path = name.partition(".")[2]
        if not path or INNER_LEFT_OUT.search(name) or walk.found.get(path, [""])[0] == "m":
            continue
        try:
            module = importlib.import_module(name)
        except Exception as error:
            walk.errors.append([path, repr(error)])
            failed.append(path)
            continue
        modules.append(path)
        walk.found[path] = ["m", None]
        if name == "tensorflow.python":
            continue
        others = foreign(module)
        for one, value in vars(module).items():
            if one.startswith("_") or isinstance(value, (types.ModuleType, type(__future__.division))):
                continue
            if not of_keras(one, value, others):
                continue
            kind = "c" if inspect.isclass(value) else "f" if callable(value) else "v"
            walk.found.setdefault(path + "." + one, [kind, None])
    return modules, failed


def signature(value):
    try:
        parameters = inspect.signature(value).parameters.values()
    except Exception:
        return None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(one.kind, "") + one.name for one in parameters]


def made_with(cls):
    for maker in ("__init__", "__new__"):
        for owner in cls.__mro__:
            if maker in vars(owner) and owner is not object:
                if owner.__module__.split(".")[0] not in OURS + LENT or issubclass(cls, enum.Enum):
                    return None
                names = signature(getattr(cls, maker))
                return names[1:] if names and not names[0].startswith("*") else names
    known = OURS + LENT + ("object", "abc", "enum", "typing")
    return [] if all(one is object or one.__module__.split(".")[0] in known for one in cls.__mro__) else None


def main():
    package, output = sys.argv[1:]
    module = __import__(package)
    try:
        __import__("keras.api._v2.keras")  # what Keras 2.6 to 2.12 documents; its own modules have more
    except ImportError:
        pass
    walk = Walk()
    walk.module(module, "", frozenset())
    modules, failed = inner(package, walk)
    answer = {"version": module.__version__, "symbols": walk.found, "errors": walk.errors}
    with open(output, "w") as stream:
        json.dump(dict(answer, inner=modules, failed=failed), stream)


main()
