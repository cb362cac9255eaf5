"""What a project beside a Dockerfile installs: `pyproject.toml` and the locks of uv, poetry, pdm and pipenv."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tfenv.errors import UsageError
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.inputs.docker.stage import Stage

_PROJECT = "pyproject.toml"


def uv_sync(stage: Stage) -> None:
    """`uv sync`: the pins of its lock, else what the project declares."""
    _locked_or_declared("uv.lock", stage)


def poetry(words: list[str], stage: Stage) -> None:
    """`poetry install` and `poetry add`."""
    _tool(words, "poetry.lock", stage)


def pdm(words: list[str], stage: Stage) -> None:
    """`pdm install`, `pdm sync` and `pdm add`."""
    _tool(words, "pdm.lock", stage)


def pipenv(words: list[str], stage: Stage) -> None:
    """`pipenv install` and `pipenv sync`."""
    if words[1:2] not in (["install"], ["sync"]):
        return
    text = stage.text_of("Pipfile.lock")
    with suppress(UsageError):
        document = {} if text is None else formats.json(text, "Pipfile.lock")
        rows = document.get("default", {}) if isinstance(document, dict) else {}
        stage.install(
            (name, _specifier(str(row.get("version", "")))) for name, row in rows.items() if isinstance(row, dict)
        )
    stage.install(_added(words[2:]))
    stage.used = stage.python_of("python")


def declared(stage: Stage) -> Iterator[tuple[str, SpecifierSet]]:
    """The dependencies of the project, as PEP 621 or poetry declares them."""
    document = _document(_PROJECT, stage)
    project = document.get("project", {})
    for text in project.get("dependencies", ()) if isinstance(project, dict) else ():
        with suppress(InvalidRequirement):
            requirement = PackagingRequirement(str(text))
            yield requirement.name, requirement.specifier
    table: Any = document
    for key in ("tool", "poetry", "dependencies"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    for name, value in table.items() if isinstance(table, dict) else ():
        if name != "python":
            yield name, _specifier(str(value.get("version", "")) if isinstance(value, dict) else str(value))


def _tool(words: list[str], lock: str, stage: Stage) -> None:
    match words[1:2]:
        case ["install"] | ["sync"]:
            _locked_or_declared(lock, stage)
        case ["add"]:
            stage.install(_added(words[2:]))
            stage.used = stage.python_of("python")


def _locked_or_declared(lock: str, stage: Stage) -> None:
    rows = _document(lock, stage).get("package", ())
    pins = [
        (str(row["name"]), _specifier(f"=={row['version']}"))
        for row in rows
        if isinstance(row, dict) and "name" in row and "version" in row and "virtual" not in row.get("source", {})
    ]
    stage.install(pins or declared(stage))
    stage.used = stage.python_of("python") or stage.used


def _document(name: str, stage: Stage) -> dict[str, Any]:
    text = stage.text_of(name)
    with suppress(UsageError):
        return {} if text is None else formats.toml(text, name)
    return {}


def _added(words: list[str]) -> Iterator[tuple[str, SpecifierSet]]:
    for word in words:
        name, _, version = word.partition("@")
        with suppress(InvalidRequirement):
            requirement = PackagingRequirement(name)
            yield requirement.name, _specifier(version) if version else requirement.specifier


def _specifier(text: str) -> SpecifierSet:
    """A range in poetry's words: `^1.2` goes up to the next major, `~1.2` to the next minor, `1.2` is exact."""
    parts = []
    for part in filter(None, (word.strip() for word in text.split(","))):
        if part in ("*", "latest"):
            continue
        with suppress(InvalidVersion):
            if part[0] == "^":
                parts.append(_up_to(part, first=True))
                continue
            if part[0] == "~" and not part.startswith(("~=", "~>")):
                parts.append(_up_to(part, first=False))
                continue
        parts.append(f"=={part}" if part[0].isdigit() else part)
    try:
        return SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return SpecifierSet()


def _up_to(part: str, *, first: bool) -> str:
    low = Version(part[1:].strip())
    place = next((place for place, number in enumerate(low.release) if number), len(low.release) - 1) if first else 1
    place = min(place, len(low.release) - 1)
    return f">={low},<{'.'.join(map(str, (*low.release[:place], low.release[place] + 1)))}"
