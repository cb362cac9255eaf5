"""`tfenv facts update --api`, `--exports`, `--modules` and `--closures`: the tables beside that of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.cli import _console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tfenv.model.progress import Progress
    from tfenv.workflow.api import Changed


def update_api(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """The table of symbols: which of its files change, and by how many lines."""
    from packaging.version import InvalidVersion, Version

    from tfenv.cli.facts import verdict
    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.workflow import api

    try:
        only = tuple(map(Version, names))
    except InvalidVersion as error:
        raise UsageError(f"{error}", hint="with `--api`, name releases: `2.15.1`") from None
    changed: dict[str, Changed] = {}

    def told(change: Changed) -> None:
        name = f"{change.path.parent.name}/{change.path.name}"
        changed[name] = change
        if not json_output:
            _console.data(f"{name}: {change.added} lines come, {change.removed} go")

    directory = database.load().root / "api"
    with _console.progress() as progress:
        tally = api.update(directory, told, only=only, index=index, write=write, progress=progress)
    if json_output:
        _console.document({**api.document(tally), "changes": list(changed), "written": write and bool(changed)})
        return
    _console.say(api.summary(tally))
    _console.say(verdict(list(changed), f"{directory}" if write else ""))


def update_exports(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """What TensorFlow's library exports: a line for each release that is read."""
    from tfenv.workflow import exports

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        exports.update(path, told, index=index, write=write, progress=progress)

    _listed("--exports", "ops/exports.txt", names, update, write=write, json_output=json_output)


def update_modules(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which modules lie in the wheels: a line for each release that is read."""
    from tfenv.workflow import modules

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        modules.update(path, told, index=index, write=write, progress=progress)

    _listed("--modules", "modules.txt", names, update, write=write, json_output=json_output)


def update_closures(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which projects come along with each minor release: a line for each where that is not what the file says."""
    from tfenv.facts import database
    from tfenv.workflow import closures

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        closures.update(path, told, database=database.load(), index=index, write=write, progress=progress)

    _listed("--closures", "closures.txt", names, update, write=write, json_output=json_output)


def _listed(
    option: str,
    file: str,
    names: Iterable[str],
    update: Callable[[Path, Callable[[str], None], Progress], None],
    *,
    write: bool,
    json_output: bool,
) -> None:
    """One file with something of every minor release; a line is told for each that was not in it."""
    from tfenv.cli.facts import verdict
    from tfenv.errors import UsageError
    from tfenv.facts import database

    if any(names):
        raise UsageError(f"`{option}` goes through all minor releases; it takes no names")
    lines: list[str] = []

    def told(line: str) -> None:
        lines.append(line)
        if not json_output:
            _console.data(line)

    path = database.load().root / file
    with _console.progress() as progress:
        update(path, told, progress)
    if json_output:
        _console.document({"read": lines, "written": write and bool(lines)})
        return
    _console.say(f"{len(lines)} releases read")
    _console.say(verdict([path.name] if lines else [], f"{path.parent}" if write else ""))
