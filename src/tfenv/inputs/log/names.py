"""Missing modules and attributes of TensorFlow and Keras: which releases have them, and what became of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet

from tfenv.model.evidence import Symptom
from tfenv.model.package import Name, normalize
from tfenv.symbols import database as symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from tfenv.facts.database import Database
    from tfenv.inputs.log.tracebacks import Raised
    from tfenv.symbols.table import SymbolRange

_MISSING: Final = tuple(
    re.compile(text)
    for text in (
        r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'",
        r"cannot import name '?(?P<name>\w+)'? from (?:partially initialized module )?'(?P<module>[\w.]+)'",
        r"cannot import name '?(?P<name>\w+)'?(?: \(|$)",
        r"No module named '?(?P<module>[\w.]+)'?",
        r"'module' object has no attribute '(?P<name>\w+)'",
    )
)
_IMPORT = re.compile(r"from (?P<module>[\w.]+) import ")
_CALL = re.compile(r"(?P<module>\b(?:tf|tensorflow|keras|K)(?:\.\w+)*)\.(?P<name>\w+)")

_PUBLIC: Final = (
    (re.compile(r"^tensorflow_core\b"), "tensorflow"),
    (re.compile(r"^tensorflow\._api\.v[12]\.(?:compat\.)?v[12](?=\.|$)"), "tensorflow"),
    (re.compile(r"^tensorflow\._api\.v[12](?=\.|$)"), "tensorflow"),
    (re.compile(r"^tensorflow\.v[12](?=\.|$)"), "tensorflow"),
    (re.compile(r"^keras\.(?:api\.)?_tf_keras\.keras"), "tensorflow.keras"),
    (re.compile(r"^keras\.api\._v[12]\.keras"), "tensorflow.keras"),
    (re.compile(r"^keras\.api(?:\._v[12])?(?=\.[a-z])"), "keras"),
    (re.compile(r"^tensorflow(?=\.|$)"), "tf"),
)
"""Where names of the public API are defined, and the name that code writes."""

_LEGACY = "pip install tf-keras, and set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported"
_COMPAT = "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()"

_INSIDE = re.compile(r"^tensorflow(?:\._api\.v2)?\.compat\.v2\.(?:__internal__|experimental)|\.__internal__\b")
"""Where Keras, and nobody else, looks for names of TensorFlow."""

_OWN = (Name("tensorflow"), Name("keras"), Name("tf-keras"), Name("tensorflow-estimator"), Name("keras-nightly"))
"""Distributions that are made for one release of each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """A name that was not there.

    Attributes:
        name: the name in full, from `tf.` or `keras.` on, or another module.
        module: whether it is a module that was to be imported.
        inside: whether only Keras and its kin ask for it, by the place where it was looked for.
    """

    name: str
    module: bool
    inside: bool


def symptoms(raised: tuple[Raised, ...], database: Database) -> Iterator[Symptom]:
    """What the tables of symbols say of every name that an exception calls missing."""
    for each in raised:
        missing = _missing(each)
        if missing is None:
            continue
        top = missing.name.partition(".")[0]
        if top in ("tf", "keras") and "." in missing.name:
            found = symbols.load().api.symbol(missing.name)
            if found is not None:
                yield _of_keras(each, missing, found) if top == "keras" else _of_tensorflow(each, missing, found)
        elif missing.module and "." not in missing.name:
            yield from _absent(each, missing.name, database)
        elif normalize(top) in database.projects.names:
            yield _of_other(each, missing.name, normalize(top))


def _missing(each: Raised) -> _Missing | None:
    """The name that an exception calls missing."""
    for pattern in _MISSING:
        match = pattern.search(each.message)
        if match is None:
            continue
        groups = match.groupdict()
        module, name = groups.get("module"), groups.get("name")
        if module is None and name is not None:
            module = _said_in_code(each, name)
        if module is None:
            return None
        full = module if name is None else f"{module}.{name}"
        full = re.sub(r"^tensorflow\b", "tensorflow", full, flags=re.IGNORECASE)
        inside = _INSIDE.search(full) is not None
        for pattern_of_module, public in _PUBLIC:
            full = pattern_of_module.sub(public, full)
        return _Missing(name=full, module=name is None, inside=inside)
    return None


def _said_in_code(each: Raised, name: str) -> str | None:
    """The module that a name was asked of, from the source line above the exception."""
    code = each.frames[-1].code if each.frames else ""
    if (match := _IMPORT.search(code)) is not None:
        return match["module"]
    for match in _CALL.finditer(code):
        if match["name"] == name:
            return re.sub(r"^K$", "keras.backend", match["module"])
    return None


def _of_tensorflow(each: Raised, missing: _Missing, found: SymbolRange) -> Symptom:
    """A name of TensorFlow that this release lacks."""
    by, public = each.importer("tensorflow"), missing.name
    there = f"`{public}` is in TensorFlow {found.minors[0]} to {found.minors[-1]}"
    if by in _OWN[1:] or (by in (None, _OWN[0]) and missing.inside):
        keras = by if by in _OWN[1:] else Name("keras")
        return Symptom(
            code="keras-mismatch",
            subject=str(keras),
            cause=f"{keras} needs a name that this TensorFlow lacks: {there}. Both must be of the same minor release",
            line=each.line,
            package=keras,
            same_minor=True,
            tf=_span(found),
        )
    became = symbols.load().api.became(public)
    now = became.now if became is not None else ""
    old = public.startswith("tf.keras.") and found.last.release[:2] == (2, 15)
    who = f"{by} uses a name" if by is not None else "the code uses a name"
    return Symptom(
        code="keras-mismatch" if old else "api-removed",
        subject=public,
        cause=f"{who} that this TensorFlow lacks: {there}{f'; it became `{now}`' if now else ''}",
        line=each.line,
        sources=(became.source,) if became is not None and now else (),
        package=Name("tf-keras") if old else None,
        same_minor=old,
        tf=_span(found),
        symbol=public if by is None and not old else None,
        advice=_LEGACY if old else _COMPAT if now.startswith("tf.compat.v1.") and by is None else None,
    )


def _of_keras(each: Raised, missing: _Missing, found: SymbolRange) -> Symptom:
    """A name of Keras that this release lacks."""
    # a name that went and came back as something else was looked for as it was first
    (first, last), public = found.spans[0], missing.name
    newest = symbols.load().api.keras.releases.all[-1]
    became = symbols.load().api.became(public)
    # such a Keras goes with one TensorFlow only, which brings it
    tied = last.release[:2] >= (2, 13) or first.major >= 3
    by = each.importer("keras")
    user = f"{by} uses a name" if by is not None else "the code uses a name"
    gone = (
        f"Keras {first.major}.{first.minor} to {last.major}.{last.minor}"
        if last != newest
        else f"Keras {first} and newer"
    )
    return Symptom(
        code="keras-mismatch",
        subject="keras",
        cause=f"{user} that the installed Keras lacks: `{public}` is in {gone}",
        line=each.line,
        sources=() if became is None else (became.source,),
        package=None if tied else Name("keras"),
        wanted=None if tied else _range(first, None if last == newest else last),
        tf=_tensorflow_with(first, last, newest),
        symbol=public if by is None and became is not None else None,
        advice=None if last == newest else _LEGACY,
    )


def _of_other(each: Raised, name: str, package: Name) -> Symptom:
    """A name of any other package: it is of another release than the code that asks was written for."""
    by = each.importer(package.replace("-", "_"))
    who = str(by) if by is not None and by != package else "the code"
    advice = f"pip install --upgrade {by}" if who == by else f"pip install --upgrade {package}"
    return Symptom(
        code="package-incompatible",
        subject=package,
        cause=f"{who} needs `{name}`, which the installed {package} does not have: it was written for another release",
        line=each.line,
        general=True,
        advice=f"{advice}   # a release that goes with the rest",
    )


def _range(first: Version, last: Version | None) -> SpecifierSet:
    """Releases that have a name, as an upper or a lower bound."""
    if last is None:
        return SpecifierSet(f">={first}")
    return SpecifierSet(f"<{last.major}.{last.minor + 1}")


def _tensorflow_with(first: Version, last: Version, newest: Version) -> str:
    """TensorFlow that comes with such a Keras: of the same minor from 2.4 on, and Keras 3 from 2.16 on."""
    if last == newest:
        return ">=2.16" if first.major >= 3 else f">={first.major}.{first.minor}"
    if last.major >= 3:
        return ">=2.16"
    if last.release[:2] < (2, 4):
        return "1.15"
    return f"<{last.major}.{last.minor + 1}"


def _span(found: SymbolRange) -> str:
    newest = symbols.load().api.releases[-1]
    return f">={found.first}" if found.last == newest else f">={found.first},<={found.last}"


def _absent(each: Raised, module: str, database: Database) -> Iterator[Symptom]:
    """A whole package that is not installed."""
    name = normalize(module)
    if name not in database.projects.names and name not in _OWN:
        return
    by = each.importer(module)
    asks = f"{by} imports" if by is not None else "the program imports"
    yield Symptom(
        code="keras-mismatch" if name == "tf-keras" else "package-missing",
        subject=str(name),
        cause=f"{asks} `{module}`, and {name} is not installed for this Python",
        line=each.line,
        package=name,
        wanted=SpecifierSet(),
        same_minor=name == "tf-keras",
    )
