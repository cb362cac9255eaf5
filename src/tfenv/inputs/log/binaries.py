"""Compiled libraries that did not load: what they miss, who needs it, and which TensorFlow exports it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.inputs.log.tracebacks import package_of
from tfenv.model.evidence import Symptom
from tfenv.model.package import TENSORFLOW, Name, normalize
from tfenv.symbols import database as symbols
from tfenv.symbols.exports import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from tfenv.facts.database import Database

_UNDEFINED = re.compile(
    r"(?:undefined symbol:? |[Ss]ymbol not found:? (?:in flat namespace )?'?_?)(?P<symbol>[A-Za-z_]\w{0,600})"
)
_FILE = re.compile(r"[^\s'\"(:]{1,400}\.(?:so|dylib)(?:\.\d+)*")
_NOT_FOUND = re.compile(
    r"(?P<file>(?:[A-Za-z]:)?[^\s'\":]{0,300}(?:site|dist)-packages[\\/][^\s'\":]{1,200}\.(?:so|dll|pyd)) not found"
)
_WINDOWS = re.compile(r"[A-Za-z]:\\|\\(?:Lib|lib)\\site-packages")

_MARK = re.compile(r"10tensorflow|3tsl")


def symptoms(text: str, database: Database) -> Iterator[Symptom]:
    """Libraries of packages and of users that were compiled for another TensorFlow, or not for this system at all."""
    known = database.projects.names
    for match in _UNDEFINED.finditer(text):
        line = _line(text, match)
        files = _FILE.findall(line[: line.find(match[0])])
        file = files[-1] if files else ""
        found = _undefined(file, match["symbol"], _owner(file, known), line, database)
        if found is not None:
            yield found
    for match in _NOT_FOUND.finditer(text):
        package = _owner(match["file"], known)
        if package is not None and package != TENSORFLOW:
            yield _absent(match["file"], package, _line(text, match), database)


def _owner(file: str, known: frozenset[Name]) -> Name | None:
    """The package that a file belongs to: by its folder under `site-packages`, or by a folder named like a project."""
    if "libmetal_plugin" in file:
        return Name("tensorflow-metal")
    package = package_of(file)
    if package is not None:
        return package if package in known or package == TENSORFLOW else None
    folders = (normalize(part) for part in re.split(r"[\\/]", file)[:-1] if re.fullmatch(r"\w+", part))
    return next((name for name in folders if name in known and name != TENSORFLOW), None)


def _undefined(file: str, symbol: str, package: Name | None, line: str, database: Database) -> Symptom | None:
    """A symbol that is missing: one of TensorFlow's tells the releases, another one tells that the file is broken."""
    of_tensorflow = is_kept(symbol) or _MARK.search(symbol) is not None
    if package in (None, TENSORFLOW):
        return _of_user(file, symbol, line) if of_tensorflow and package is None else None
    assert package is not None
    having = _exporting(symbol) if of_tensorflow else ()
    if not of_tensorflow:
        rows = database.projects.rows(package)
        newest = max((version for version in rows if not version.is_prerelease), default=None)
        return Symptom(
            code="companion-mismatch",
            subject=package,
            cause=f"{file.rpartition('/')[2]} of {package} misses {symbol[:80]}, which TensorFlow never had: "
            "this release of the package is built wrongly",
            line=line,
            package=package,
            wanted=None if newest is None else SpecifierSet(f"=={newest}"),
            advice=f"pip install --upgrade {package}",
        )
    where = f", which TensorFlow {_short(having[0])} to {_short(having[-1])} have" if having else ""
    return Symptom(
        code="companion-mismatch",
        subject=package,
        cause=f"{package} is compiled for another TensorFlow than the installed one: it misses {symbol[:120]}{where}",
        line=line,
        sources=("constraints/symbols/exports.txt",) if having else (),
        package=package,
        same_minor=package in _SAME_MINOR,
        advice=f"pip install --upgrade {package}   # the release that goes with the installed TensorFlow",
    )


_SAME_MINOR = (Name("tensorflow-text"),)
"""Companions that are numbered like the TensorFlow that they are compiled for."""


def _of_user(file: str, symbol: str, line: str) -> Symptom:
    having = _exporting(symbol)
    newest = symbols.load().exports.releases[-1]
    where = f"; TensorFlow {_short(having[0])} to {_short(having[-1])} have it" if having else ""
    old = "ESs" in symbol or symbol.endswith("Ss")
    abi = ", with the C++ ABI from before GCC 5" if old and "cxx11" not in symbol else ""
    return Symptom(
        code="op-abi-mismatch",
        subject=_base(file) or "custom op",
        cause=f"the library was compiled for another TensorFlow{abi}: it misses {symbol[:120]}{where}",
        line=line,
        sources=("constraints/symbols/exports.txt",) if having else (),
        tf=None if not having or having[-1] == newest else f">={having[0]},<={having[-1]}",
        advice="compile it again with the flags of `tf.sysconfig.get_compile_flags()`, "
        "or install the TensorFlow that it was compiled for",
    )


def _exporting(symbol: str) -> tuple[Version, ...]:
    """The releases whose library exports a symbol, oldest first; empty if it is not one that the table tells of."""
    if not is_kept(symbol):
        return ()
    exports = symbols.load().exports
    return tuple(version for version in exports.releases if exports.missing(version, (symbol,)) == ())


def _absent(file: str, package: Name, line: str, database: Database) -> Symptom:
    """A library that its package should have brought; a wheel for another system does not have it."""
    windows = _WINDOWS.search(file) is not None
    rows = database.projects.rows(package)
    tags = {tag.rpartition("-")[2] for row in rows.values() for tag in row.tags}
    served = any(tag == "win_amd64" for tag in tags)
    if windows and rows and not served:
        return Symptom(
            code="companion-mismatch",
            subject=package,
            cause=f"{package} has compiled code for Linux and macOS only: no release has a wheel for Windows",
            line=line,
            advice="wsl --install   # then the same in WSL, or on Linux",
        )
    return Symptom(
        code="package-broken",
        subject=package,
        cause=f"a file of {package} is missing: {_base(file)}",
        line=line,
        package=package,
        advice=f"pip install --force-reinstall --no-deps {package}",
    )


def _base(file: str) -> str:
    """The name of a file without its folders, on any system."""
    return re.split(r"[\\/]", file)[-1]


def _short(version: Version) -> str:
    return f"{version.major}.{version.minor}"


def _line(text: str, match: re.Match[str]) -> str:
    end = text.find("\n", match.end())
    return text[text.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else None].strip()
