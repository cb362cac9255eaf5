"""What other tools' tables of a `pyproject.toml` add to `[project]`: Poetry, uv, PDM, Hatch and setuptools.

Sources: https://docs.astral.sh/uv/concepts/projects/dependencies/, https://pdm-project.org/latest/reference/pep621/,
https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html, https://github.com/repo-helper/hatch-requirements-txt
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfenv.inputs.declared import poetry
from tfenv.inputs.declared.declared import Collector, DependencyFile, table, tables, text
from tfenv.model.goal import PYPI
from tfenv.model.package import Name, normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_PLACES = ("path", "git", "url", "workspace", "index")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolTables:
    """What the tables declare.

    Attributes:
        declared: requirements beside those of `[project]`.
        extras: extras that they offer, chosen or not.
        groups: groups that they offer, chosen or not.
        sources: where dependencies come from if not from an index of the lock, by name.
    """

    declared: DependencyFile
    extras: Collection[Name] = ()
    groups: Collection[Name] = ()
    sources: Mapping[Name, str]


def read(
    document: dict[str, object], name: str, *, extras: Collection[Name] = (), groups: Iterable[Name] = ()
) -> ToolTables:
    """Read the tables of the tools in a project.

    Args:
        document: the whole `pyproject.toml`.
        name: name of the file.
        extras: chosen extras.
        groups: chosen groups.
    """
    project, own = table(document, "project"), table(document, "tool", "poetry")
    dynamic = project.get("dynamic")
    is_dynamic = isinstance(dynamic, list) and "dependencies" in dynamic
    found = Collector(name=name)
    declared, offered = DependencyFile(), (set[Name](), set[Name]())
    if own and (is_dynamic or "dependencies" not in project):
        declared, offered = poetry.of_pyproject(own, name, extras=extras, groups=groups), poetry.names(own)
    files = _files(document)
    if is_dynamic and not own and not files:
        found.note(f"{name}: its dependencies are dynamic, known only to its build backend, and left out")
    old = _old_groups(document)
    for group in groups:
        found.lines(old.get(group), f"group `{group}`")
    uv = table(document, "tool", "uv")
    bounds = Collector(name=name)
    bounds.lines(uv.get("constraint-dependencies"), "tool.uv.constraint-dependencies")
    if uv.get("override-dependencies"):
        found.note(f"{name}: `tool.uv.override-dependencies` is not read")
    indexes = _indexes(uv)
    return ToolTables(
        declared=replace(
            declared,
            requirements=(*declared.requirements, *found.requirements),
            constraints=tuple(bounds.requirements),
            elsewhere=(*declared.elsewhere, *found.elsewhere),
            files=files if is_dynamic else (),
            index_url=indexes[0] if indexes else None,
            extra_index_urls=tuple(indexes[1:]),
            notes=(*declared.notes, *found.notes, *bounds.notes),
        ),
        extras=offered[0],
        groups=offered[1] | old.keys(),
        sources={normalize(key): _place(value) for key, value in table(uv, "sources").items()},
    )


def _files(document: dict[str, object]) -> tuple[str, ...]:
    """The requirements files that dynamic dependencies are read from, by setuptools or by a plugin of Hatch."""
    named = table(document, "tool", "setuptools", "dynamic", "dependencies").get("file")
    hook = table(document, "tool", "hatch", "metadata", "hooks", "requirements_txt").get("files")
    return tuple(
        text(each) for value in (named, hook) for each in (value if isinstance(value, list) else [value]) if text(each)
    )


def _old_groups(document: dict[str, object]) -> dict[Name, object]:
    """Groups of the time before PEP 735: of PDM, and uv's only one."""
    tool = table(document, "tool")
    groups = {normalize(key): value for key, value in table(tool, "pdm", "dev-dependencies").items()}
    alone = table(tool, "uv").get("dev-dependencies")
    return groups if alone is None else {**groups, normalize("dev"): alone}


def _indexes(uv: dict[str, object]) -> list[str]:
    """The indexes in the order in which uv asks them; empty if none is named, and without those of single packages."""
    rows = [row for row in tables(uv.get("index")) if row.get("explicit") is not True and text(row.get("url"))]
    if not rows:
        return []
    default = [text(row["url"]) for row in rows if row.get("default") is True]
    return [*(text(row["url"]) for row in rows if row.get("default") is not True), *(default or [PYPI])]


def _place(value: object) -> str:
    """Where a row of `[tool.uv.sources]` says that a package comes from."""
    rows = value if isinstance(value, list) else [value]
    for row in rows:
        for key in _PLACES:
            if isinstance(row, dict) and key in row:
                return key if key == "workspace" else f"index {row[key]}" if key == "index" else str(row[key])
    return "elsewhere"
