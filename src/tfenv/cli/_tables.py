"""`tfenv facts update` for the tables beside that of releases: `--api`, `--exports`, `--modules`, `--closures`, …"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.cli import _console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tfenv.harvest.update_symbols import Changed
    from tfenv.model.progress import Progress


def update_api(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """The table of symbols: which of its files change, and by how many lines."""
    from packaging.version import InvalidVersion, Version

    from tfenv.errors import UsageError
    from tfenv.harvest import update_symbols
    from tfenv.symbols import database as symbols

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

    directory = symbols.load().root / "api"
    with _console.progress() as progress:
        tally = update_symbols.update(directory, told, only=only, index=index, write=write, progress=progress)
    if json_output:
        _console.document(
            {**update_symbols.document(tally), "changes": list(changed), "written": write and bool(changed)}
        )
        return
    _console.say(update_symbols.summary(tally))
    _console.say(verdict(list(changed), f"{directory}" if write else ""))


def update_exports(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """What TensorFlow's library exports: a line for each release that is read."""
    from tfenv.harvest import update_exports
    from tfenv.symbols import database as symbols

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        update_exports.update(path, told, index=index, write=write, progress=progress)

    _listed("--exports", symbols.load().root / "exports.txt", names, update, write=write, json_output=json_output)


def update_modules(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which modules lie in the wheels: a line for each release that is read."""
    from tfenv.harvest import update_modules
    from tfenv.symbols import database as symbols

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        update_modules.update(path, told, index=index, write=write, progress=progress)

    _listed("--modules", symbols.load().root / "modules.txt", names, update, write=write, json_output=json_output)


def update_closures(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which projects come along with each minor release: a line for each where that is not what the file says."""
    from tfenv.facts import database
    from tfenv.harvest import update_closures
    from tfenv.workflow.lock.solve import solve

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        update_closures.update(
            path, told, lock=solve, database=database.load(), index=index, write=write, progress=progress
        )

    _listed("--closures", database.load().root / "closures.txt", names, update, write=write, json_output=json_output)


def update_projects(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Releases of the projects that TensorFlow requires, and of its companions: a line for each that has others."""
    from tfenv.facts import database
    from tfenv.harvest import update_projects
    from tfenv.index.source import IndexSource
    from tfenv.model.package import normalize
    from tfenv.store.cache import Cache

    root = database.load().root
    projects = tuple(map(normalize, update_projects.names_of(root / "projects.txt")))

    def update(path: Path, told: Callable[[str], None], progress: Progress) -> None:
        with IndexSource((index,), cache=Cache(), progress=progress) as source:
            update_projects.update(path, projects, source, told, write=write, progress=progress)

    _listed("--projects", root / "projects.zip", names, update, write=write, json_output=json_output)


def _listed(
    option: str,
    path: Path,
    names: Iterable[str],
    update: Callable[[Path, Callable[[str], None], Progress], None],
    *,
    write: bool,
    json_output: bool,
) -> None:
    """One file with something of every minor release; a line is told for each that was not in it."""
    from tfenv.errors import UsageError

    if any(names):
        raise UsageError(f"`{option}` goes through all minor releases; it takes no names")
    lines: list[str] = []

    def told(line: str) -> None:
        lines.append(line)
        if not json_output:
            _console.data(line)

    with _console.progress() as progress:
        update(path, told, progress)
    if json_output:
        _console.document({"read": lines, "written": write and bool(lines)})
        return
    _console.say(f"{len(lines)} read anew")
    _console.say(verdict([path.name] if lines else [], f"{path.parent}" if write else ""))


def verdict(changed: list[str], written: str) -> str:
    """Which files changed, or would; `written` is the folder if they were written."""
    if not changed:
        return "nothing has changed"
    if written:
        return f"wrote {' '.join(changed)} in {written}"
    return f"{len(changed)} file{'s' * (len(changed) != 1)} would change; `--write` writes them"
