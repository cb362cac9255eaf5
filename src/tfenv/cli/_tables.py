"""`tfenv facts update --api`, `--exports`, `--modules` and `--closures`: the tables beside that of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.cli import _console

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    from tfenv.cli.facts import verdict
    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.workflow import exports

    if any(names):
        raise UsageError("`--exports` reads the newest release of every minor release; it takes no names")
    read: list[str] = []

    def told(line: str) -> None:
        read.append(line)
        if not json_output:
            _console.data(line)

    path = database.load().root / "ops" / "exports.txt"
    with _console.progress() as progress:
        exports.update(path, told, index=index, write=write, progress=progress)
    if json_output:
        _console.document({"read": read, "written": write and bool(read)})
        return
    _console.say(f"{len(read)} libraries read")
    _console.say(verdict([path.name] if read else [], f"{path.parent}" if write else ""))


def update_modules(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which modules lie in the wheels: a line for each release that is read."""
    from tfenv.cli.facts import verdict
    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.workflow import modules

    if any(names):
        raise UsageError("`--modules` reads the newest release of every minor release; it takes no names")
    read: list[str] = []

    def told(line: str) -> None:
        read.append(line)
        if not json_output:
            _console.data(line)

    path = database.load().root / "modules.txt"
    with _console.progress() as progress:
        modules.update(path, told, index=index, write=write, progress=progress)
    if json_output:
        _console.document({"read": read, "written": write and bool(read)})
        return
    _console.say(f"{len(read)} wheels read")
    _console.say(verdict([path.name] if read else [], f"{path.parent}" if write else ""))


def update_closures(names: Iterable[str], index: str, *, write: bool, json_output: bool) -> None:
    """Which projects come along with each minor release: a line for each where that is not what the file says."""
    from tfenv.cli.facts import verdict
    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.workflow import closures

    if any(names):
        raise UsageError("`--closures` locks every minor release; it takes no names")
    differ: list[str] = []

    def told(line: str) -> None:
        differ.append(line)
        if not json_output:
            _console.data(line)

    facts = database.load()
    path = facts.root / "closures.txt"
    with _console.progress() as progress:
        changed = closures.update(path, told, database=facts, index=index, write=write, progress=progress)
    if json_output:
        _console.document({"changes": differ, "written": write and changed})
        return
    _console.say(verdict([path.name] if changed else [], f"{path.parent}" if write else ""))
