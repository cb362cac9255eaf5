"""The tables `[tool.poetry]` of a `pyproject.toml`, and those of a `Pipfile`, which are written alike.

Sources: https://python-poetry.org/docs/pyproject/, https://github.com/pypa/pipfile
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet

from tfenv.inputs.declared import constraints
from tfenv.inputs.declared.declared import Collector, DependencyFile, table, tables, text
from tfenv.model.package import Requirement, normalize
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tfenv.model.package import Name

_PLACES = ("git", "path", "url", "file", "hg", "svn")
_PLATFORMS = {"linux": "linux", "darwin": "darwin", "win32": "win32", "windows": "win32"}


def of_pyproject(
    poetry: dict[str, object], name: str, *, extras: Collection[Name] = (), groups: Iterable[Name] = ()
) -> DependencyFile:
    """What `[tool.poetry]` declares.

    Args:
        poetry: the table.
        name: name of the file.
        extras: chosen extras.
        groups: chosen groups; `dev` includes the old `dev-dependencies`.
    """
    found = Collector(name=name)
    offered = {normalize(key): value for key, value in table(poetry, "extras").items()}
    chosen = {normalize(text(each)) for extra in extras for each in _list(offered.get(extra))}
    main = table(poetry, "dependencies")
    for key, value in main.items():
        if key != "python" and not (_is_optional(value) and normalize(key) not in chosen):
            _dependency(found, key, value, "tool.poetry.dependencies")
    for group in groups:
        here = table(poetry, "group", group, "dependencies") or (
            table(poetry, "dev-dependencies") if group == "dev" else {}
        )
        for key, value in here.items():
            _dependency(found, key, value, f"tool.poetry.group.{group}.dependencies")
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=_python(found, main.get("python")),
        elsewhere=tuple(found.elsewhere),
        notes=tuple(found.notes),
    )


def names(poetry: dict[str, object]) -> tuple[set[Name], set[Name]]:
    """The names of the extras and of the groups that the table offers."""
    groups = {normalize(group) for group in table(poetry, "group")}
    return {normalize(extra) for extra in table(poetry, "extras")}, groups | (
        {normalize("dev")} if "dev-dependencies" in poetry else set()
    )


def of_pipfile(content: str, name: str) -> DependencyFile:
    """What a `Pipfile` declares; packages for development are left out, as by `pipenv install`.

    Raises:
        UsageError: the text is not TOML.
    """
    document = formats.toml(content, name)
    found = Collector(name=name)
    for key, value in table(document, "packages").items():
        _dependency(found, key, value, "packages")
    requires = table(document, "requires")
    python = text(requires.get("python_full_version")) or text(requires.get("python_version"))
    urls = [text(source.get("url")) for source in tables(document.get("source"))]
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=_python(found, f"{python}.*" if python.count(".") == 1 else python or None),
        elsewhere=tuple(found.elsewhere),
        index_url=urls[0] if urls and urls[0].startswith("http") else None,
        notes=tuple(found.notes),
    )


def _dependency(found: Collector, key: str, value: object, place: str) -> None:
    """One row: a constraint, a table, or several tables of which markers choose."""
    where = f"{place}.{key}"
    if isinstance(value, list):
        for each in value:
            _dependency(found, key, each, place)
        return
    row = value if isinstance(value, dict) else {"version": value}
    away = next((row[each] for each in (*_PLACES, "source", "index") if each in row), None)
    if away is not None and not (row.get("index") == "pypi" or row.get("source") in ("PyPI", "pypi")):
        found.away(key, away, where)
        return
    try:
        either = constraints.alternatives(text(row.get("version")) or "*")
        marker = _marker(row)
    except ValueError as error:
        found.note(f"{found.name}: `{where}`: {error}; the package is left out")
        return
    found.requirements.append(
        Requirement(
            name=normalize(key),
            specifier=either[0] if len(either) == 1 else SpecifierSet(),
            any_of=either if len(either) > 1 else (),
            extras=frozenset(normalize(text(extra)) for extra in _list(row.get("extras"))),
            marker=marker,
            source=f"{found.name}: {place}",
        )
    )


def _marker(row: dict[str, object]) -> Marker | None:
    """The conditions of a row, as one marker.

    Raises:
        ValueError: they are not conditions.
    """
    parts = [f"({text(row['markers'])})"] if text(row.get("markers")) else []
    if text(row.get("python")):
        ranges = constraints.alternatives(text(row["python"]))
        written = [
            " and ".join(f'python_version {one.operator} "{one.version}"' for one in sorted(each, key=str))
            for each in ranges
        ]
        parts += [f"({' or '.join(filter(None, written))})"] if any(written) else []
    if text(row.get("platform")):
        named = _PLATFORMS.get(text(row["platform"]).lower(), text(row["platform"]))
        parts.append(f'sys_platform == "{named}"')
    try:
        return Marker(" and ".join(parts)) if parts else None
    except InvalidMarker as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _python(found: Collector, value: object) -> SpecifierSet | None:
    """The allowed Pythons; alternatives become the range from the lowest to the highest, with a note."""
    if not text(value):
        return None
    try:
        either = constraints.alternatives(text(value))
    except ValueError as error:
        found.note(f"{found.name}: `python`: {error}; any Python is allowed")
        return None
    if len(either) > 1:
        found.note(f"{found.name}: of the ranges of Python in `{value}`, the last is taken")
    return either[-1]


def _is_optional(value: object) -> bool:
    return isinstance(value, dict) and value.get("optional") is True


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
