"""Requirements of a source distribution, read from the archive without running anything in it.

In order of trust: metadata that is declared final (version 2.2 or later with nothing `Dynamic`, PEP 643), other
requirements in `PKG-INFO`, what setuptools wrote into `*.egg-info/requires.txt` when the archive was made, and
requirements written literally in `pyproject.toml`, `setup.cfg` or `setup.py`.
"""

from __future__ import annotations

import ast
import bz2
import configparser
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

_READ = ("PKG-INFO", "setup.cfg", "setup.py", "pyproject.toml")
_MEMBER_LIMIT, _ARCHIVE_LIMIT, _MEMBERS = 4 * 2**20, 2 * 2**30, 200_000
_HEADER_LIMIT = 2**20
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_FIELDS = re.compile(
    r"^(?:metadata-version|dynamic|requires-dist|requires-python|provides-extra):.*(?:\n[ \t].*)*",
    re.IGNORECASE | re.MULTILINE,
)
_FIELDS_LIMIT = 2**20
"""characters of the fields that are read"""
_EXTRA = re.compile(r'extra == "([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The metadata that a source distribution declares.

    Attributes:
        requires: requirements as in `Requires-Dist`.
        requires_python: specifier as in `Requires-Python`; ``None`` if there is none.
        extras: names of the extras.
        dynamic: whether a build may change the requirements.
    """

    requires: tuple[str, ...]
    requires_python: str | None
    extras: tuple[str, ...]
    dynamic: bool


def declared(archive: bytes, filename: str) -> Declared:
    """The declarations in a source distribution.

    Raises:
        ValueError: the archive is damaged, or too large when unpacked.
    """
    try:
        members = _zip(archive) if filename.endswith(".zip") else _tar(archive, filename)
        return _judge(members)
    except RecursionError:
        raise ValueError(f"`{filename}` cannot be read: a header is nested too deeply") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"`{filename}` cannot be read: {error}") from None


def _judge(members: dict[str, bytes]) -> Declared:
    text = {path: content.decode("utf-8", errors="replace") for path, content in members.items()}
    fields = _FIELDS.findall(text.get("PKG-INFO", "").replace("\r\n", "\n").partition("\n\n")[0])
    if sum(map(len, fields)) > _FIELDS_LIMIT:
        raise ValueError("its PKG-INFO has more requirements than tfenv reads")
    info, _ = parse_email("\n".join(fields))
    requires_python = info.get("requires_python")
    final = _is_final(info.get("metadata_version", ""), info.get("dynamic", ()))
    if (listed := info.get("requires_dist")) or final:
        return Declared(
            requires=tuple(listed or ()),
            requires_python=requires_python,
            extras=tuple(info.get("provides_extra", ())),
            dynamic=not final,
        )
    static = (
        _pyproject(text.get("pyproject.toml", "")),
        _setup_cfg(text.get("setup.cfg", "")),
        _setup_py(text.get("setup.py", "")),
    )
    requires_python = requires_python or next((found[1] for found in static if found[1]), None)
    if "egg-info" in text:
        requires = tuple(_egg_info(text["egg-info"]))
    else:
        requires = next((found[0] for found in static if found[0]), ())
    extras = tuple(sorted({extra for line in requires for extra in _EXTRA.findall(line)}))
    return Declared(requires=requires, requires_python=requires_python, extras=extras, dynamic=True)


def _is_final(version: str, dynamic: Iterable[str]) -> bool:
    try:
        new = Version(version) >= Version("2.2")
    except InvalidVersion:
        return False
    return new and "requires-dist" not in {field.lower() for field in dynamic}


def _wanted(path: str) -> str | None:
    """The key of a file that is read; `egg-info` for the files of setuptools; ``None`` for other files."""
    parts = path.removeprefix("./").split("/")
    if len(parts) == 2 and parts[1] in _READ:
        return parts[1]
    if 3 <= len(parts) <= 4 and parts[-2].endswith(".egg-info") and parts[-1] in ("requires.txt", "SOURCES.txt"):
        return "egg-info"
    return None


def _keep(found: dict[str, bytes], key: str, path: str, content: bytes) -> None:
    if path.endswith("SOURCES.txt"):  # without a requires.txt beside it, nothing is required
        found.setdefault(key, b"")
    elif key not in found or not found[key]:
        found[key] = content


def _tar(archive: bytes, filename: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    raw = io.BytesIO(archive)
    unpacked = bz2.BZ2File(raw) if filename.endswith(".bz2") else gzip.GzipFile(fileobj=raw)
    with unpacked, tarfile.open(fileobj=_Bounded(unpacked), mode="r|", tarinfo=_Header) as tar:
        for count, member in enumerate(tar):
            if count > _MEMBERS:
                raise ValueError(f"`{filename}` contains more than {_MEMBERS} files")
            key = _wanted(member.name)
            if key is None or not member.isfile() or member.size > _MEMBER_LIMIT:
                continue
            stream = tar.extractfile(member)
            assert stream is not None
            _keep(found, key, member.name, stream.read())
    return found


def _zip(archive: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as unpacked:
        for member in unpacked.infolist():
            key = _wanted(member.filename)
            if key is not None and member.file_size <= _MEMBER_LIMIT:
                _keep(found, key, member.filename, unpacked.read(member))
    return found


class _Header(tarfile.TarInfo):
    """The header of a file; `tarfile` holds one that describes the next in memory, whatever its size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > _HEADER_LIMIT:
            raise OSError(f"it has a header of {header.size} bytes")
        return header


class _Bounded(io.RawIOBase):
    """A stream that raises an error if an archive is too large when unpacked."""

    def __init__(self, inner: gzip.GzipFile | bz2.BZ2File) -> None:
        self._inner = inner
        self._left = _ARCHIVE_LIMIT

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"it unpacks to more than {_ARCHIVE_LIMIT} bytes")
        return data


def _egg_info(text: str) -> Iterator[str]:
    """The requirements in `requires.txt`, under headings `[extra]`, `[:marker]` or `[extra:marker]`."""
    condition = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
            condition = _condition(extra, marker)
        elif line and not line.startswith("#"):
            yield _conditional(line, condition)


def _condition(extra: str, marker: str) -> str:
    """The marker for an extra and a marker, each of which may be empty."""
    named = f'extra == "{canonicalize_name(extra.strip())}"' if extra.strip() else ""
    marker = marker.strip()
    return f"({marker}) and {named}" if named and marker else named or marker


def _conditional(requirement: str, condition: str) -> str:
    if not condition:
        return requirement
    body, _, own = requirement.partition(";")
    return f"{body.strip()} ; ({own.strip()}) and {condition}" if own.strip() else f"{body.strip()} ; {condition}"


def _with_extras(requires: object, extras: object) -> tuple[str, ...]:
    """The requirements in `install_requires` and `extras_require`, as text with lines or as lists."""
    lines = list(_lines(requires))
    if isinstance(extras, dict):
        for heading, wanted in extras.items():
            extra, _, marker = str(heading).partition(":")
            lines += [_conditional(line, _condition(extra, marker)) for line in _lines(wanted)]
    return tuple(lines)


def _lines(value: object) -> Iterator[str]:
    entries = value.splitlines() if isinstance(value, str) else value if isinstance(value, (list, tuple)) else ()
    for entry in entries:
        if isinstance(entry, str) and entry.strip() and not entry.strip().startswith("#"):
            yield entry.strip()


def _pyproject(text: str) -> tuple[tuple[str, ...], str | None]:
    import tomli

    try:
        project = tomli.loads(text).get("project", {})
    except (ValueError, RecursionError):
        return (), None
    if not isinstance(project, dict):
        return (), None
    python = project.get("requires-python")
    requires = _with_extras(project.get("dependencies"), project.get("optional-dependencies"))
    return requires, python if isinstance(python, str) else None


def _setup_cfg(text: str) -> tuple[tuple[str, ...], str | None]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return (), None
    extras = dict(parser["options.extras_require"]) if parser.has_section("options.extras_require") else {}
    requires = _with_extras(parser.get("options", "install_requires", fallback=""), extras)
    return requires, parser.get("options", "python_requires", fallback=None)


def _setup_py(text: str) -> tuple[tuple[str, ...], str | None]:
    """The literals passed to `setup(…)`, directly or by the name of a module-level literal."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about strings in the file
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Python 2, or damaged
        return (), None
    names: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = _literal(statement.value, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            given = {keyword.arg: _literal(keyword.value, names) for keyword in node.keywords}
            python = given.get("python_requires")
            requires = _with_extras(given.get("install_requires"), given.get("extras_require"))
            return requires, python if isinstance(python, str) else None
    return (), None


def _literal(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
