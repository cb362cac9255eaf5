"""Requirements of a `pyproject.toml`: `[project]`, `[dependency-groups]` and `[tool.tfenv]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from packaging.specifiers import SpecifierSet

from tfenv.errors import UsageError
from tfenv.inputs.declared import tool_tables
from tfenv.inputs.declared.declared import Collector
from tfenv.inputs.request import Request, parse_requirement, read_values
from tfenv.model.document import Table, of
from tfenv.model.package import Requirement, normalize
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.model.package import Elsewhere, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Requirements of a project.

    Attributes:
        dependencies: dependencies in `[project]` or the tables of Poetry, with those of the named extras and groups.
        constraints: bounds on packages that are not dependencies themselves.
        elsewhere: dependencies that do not come from an index of the lock.
        files: requirements files with its dependencies, relative to its folder.
        index_url: first index; ``None`` if the project names no index.
        extra_index_urls: other indexes.
        python: `requires-python`, as a requirement of `python`; ``None`` if it is missing.
        request: `[tool.tfenv]`, overlaid with `[tool.tfenv.targets.NAME]` where a target was named.
        targets: names of all targets.
        notes: one line for each thing that could not be known.
    """

    dependencies: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    files: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    python: Requirement | None = None
    request: Request = field(default_factory=Request)
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def loads(
    content: str,
    name: str = "pyproject.toml",
    *,
    target: str | None = None,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
) -> Project:
    """Read a `pyproject.toml`.

    Args:
        content: text of the file.
        name: name of the file, for error messages and as the source of its requirements.
        target: name of a table of `[tool.tfenv.targets]`; its keys replace those of `[tool.tfenv]`.
        extras: extras of the project, in addition to those that `[tool.tfenv]` names.
        groups: names in `[dependency-groups]`, likewise.

    Raises:
        UsageError: the text is not TOML (with the line) or has faults (all of them, each with its dotted path), or the
            target does not exist.
    """
    document = formats.toml(content.removeprefix("\ufeff"), name)
    root = Table(document)
    tool = root.table("tool").table("tfenv")
    base = read_values(tool)
    tables = tool.table("targets")
    targets = {key: _read_target(tables.table(key)) for key in tables.values}
    tool.close()
    request = Request(**{**base, **targets.get(target or "", {})})
    chosen = {normalize(each) for each in (*extras, *request.extras)}
    chosen_groups = [normalize(each) for each in (*groups, *request.groups)]
    tools = tool_tables.read(document, name, extras=chosen, groups=chosen_groups)
    project = root.table("project")
    found = Collector(name=name)
    found.requirements += _dependencies(project, chosen - set(tools.extras), name)
    found.requirements += _grouped(root, [each for each in chosen_groups if each not in tools.groups], name)
    found.drop(tools.sources, "tool.uv.sources")
    python = project.get("requires-python", of(SpecifierSet))
    python = tools.declared.python if python is None else python
    root.refuse(name)
    if target is not None and target not in targets:
        raise UsageError(
            f"`{name}` has no target `{target}`",
            hint=f"its targets are {', '.join(targets)}" if targets else f"add a table `[tool.tfenv.targets.{target}]`",
        )
    return Project(
        dependencies=(*found.requirements, *tools.declared.requirements),
        constraints=tools.declared.constraints,
        elsewhere=(*found.elsewhere, *tools.declared.elsewhere),
        files=tools.declared.files,
        index_url=tools.declared.index_url,
        extra_index_urls=tools.declared.extra_index_urls,
        python=None
        if python is None
        else Requirement(
            name=normalize("python"), specifier=python, because="the project asks for it", source=f"{name}: project"
        ),
        request=request,
        targets=tuple(targets),
        notes=tools.declared.notes,
    )


def _read_target(table: Table) -> dict[str, Any]:
    values = read_values(table)
    table.close()
    return values


def _dependencies(project: Table, extras: set[Name], name: str) -> list[Requirement]:
    """The dependencies of the project and of the named extras; an extra may include others."""
    own = project.get("name", of(normalize))

    def read(table: Table, key: str) -> tuple[Requirement, ...]:
        return table.many(key, of(lambda line: parse_requirement(line, f"{name}: {table.where(key)}")))

    found = list(read(project, "dependencies"))
    optional = project.table("optional-dependencies")
    offered = {normalize(key): read(optional, key) for key in optional.values}
    done: set[Name] = set()
    while waiting := extras - done:
        extra = min(waiting)
        done.add(extra)
        if extra not in offered:
            known = ", ".join(sorted(offered)) or "none"
            project.fault("optional-dependencies", f"extra `{extra}` does not exist; there are: {known}")
        for requirement in offered.get(extra, ()):
            if requirement.name == own:
                extras |= {normalize(each) for each in requirement.extras}
            else:
                found.append(requirement)
    return found


def _grouped(root: Table, groups: Iterable[Name], name: str) -> list[Requirement]:
    """The requirements of dependency groups (PEP 735) and of the groups that they include."""
    from packaging.dependency_groups import DependencyGroupResolver
    from packaging.errors import ExceptionGroup  # noqa: A004 - its own where Python has none

    table = root.table("dependency-groups")
    found: list[Requirement] = []
    try:
        resolver = DependencyGroupResolver(cast("dict[str, Any]", table.values))
    except ExceptionGroup as group:
        for error in group.exceptions:
            root.fault("dependency-groups", error)
        return found
    for wanted in dict.fromkeys(groups):
        try:
            requirements = resolver.resolve(wanted)
        except ExceptionGroup as group:
            for error in group.exceptions:
                table.fault(wanted, error)
            continue
        except RecursionError:
            table.fault(wanted, "includes groups that are nested too deeply")
            continue
        source = f"{name}: {table.where(wanted)}"
        for requirement in requirements:
            try:
                found.append(Requirement.of(requirement, source=source))
            except ValueError as error:
                table.fault(wanted, error)
    return found
