"""`tfenv facts`: the rows of the database, shown or read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console
from tfenv.cli._commands import PLAIN
from tfenv.cli._help import HelpfulCommand, HelpfulGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.harvest.update_releases import Change, Tally

app = typer.Typer(**PLAIN, cls=HelpfulGroup, help="Show or update the rows of the database.")


@app.command(cls=HelpfulCommand)
def show(
    release: Annotated[str, typer.Argument(metavar="NAME==VERSION", help="Such as tensorflow==2.17.1.")],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Show what is known of a release, and where from."""
    _console.configure(json_output=json_output)
    from packaging.version import InvalidVersion, Version

    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.harvest import update_releases
    from tfenv.model.package import normalize

    name, equals, version = release.partition("==")
    try:
        wanted = Version(version)
    except InvalidVersion:
        equals = ""
        wanted = Version("0")
    if not (name.strip() and equals):
        raise UsageError(f"`{release}` is no release", hint="write it as `tensorflow==2.17.1`")
    told = update_releases.show(normalize(name.strip()), wanted, database.load().releases)
    if json_output:
        _console.document(told)
    else:
        _console.data("\n".join(_lines(told)))


@app.command(cls=HelpfulCommand)
def update(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Distributions; all by default. With --api: releases (2.15.1)."),
    ] = None,
    api: Annotated[
        bool, typer.Option("--api", help="The public symbols of TensorFlow and Keras instead: constraints/symbols/api.")
    ] = False,
    exports: Annotated[
        bool,
        typer.Option(
            "--exports",
            help="What TensorFlow's library exports to custom ops instead: constraints/symbols/exports.txt.",
        ),
    ] = False,
    modules: Annotated[
        bool,
        typer.Option("--modules", help="Which private modules lie in the wheels of TensorFlow instead."),
    ] = False,
    closures: Annotated[
        bool,
        typer.Option("--closures", help="Which projects come along with each minor release instead, by locking it."),
    ] = False,
    projects: Annotated[
        bool,
        typer.Option("--projects", help="Releases of TensorFlow's dependencies and companions instead."),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files; without it only the diff is shown.")] = False,
    reread: Annotated[
        bool,
        typer.Option("--reread", help="Read wheels that are known too: a diff then means that a row is wrong."),
    ] = False,
    index_url: Annotated[
        str | None, typer.Option("--index-url", metavar="URL", help="Package index  [default: PyPI]")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the diff.")] = False,
) -> None:
    """Read the published wheels (by byte ranges) and show what would change in the database."""
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.facts import database
    from tfenv.harvest import update_releases
    from tfenv.model.goal import PYPI
    from tfenv.model.package import normalize

    asked = {"api": api, "exports": exports, "modules": modules, "closures": closures, "projects": projects}
    if table := next((name for name, wanted in asked.items() if wanted), None):
        from tfenv.cli import _tables

        getattr(_tables, f"update_{table}")(names or (), index_url or PYPI, write=write, json_output=json_output)
        return
    changes: list[update_releases.Change] = []

    def told(change: update_releases.Change) -> None:
        changes.append(change)
        if not json_output:
            _console.data(change.diff)

    directory = database.load().root / "tensorflow"
    with _console.progress() as progress:
        tally = update_releases.update(
            directory,
            told,
            names=tuple(map(normalize, names)) if names else update_releases.NAMES,
            index=index_url or PYPI,
            write=write,
            reread=reread,
            progress=progress,
        )
    if json_output:
        _console.document(_document(tally, changes, written=write))
        return
    for line in _summary(tally, [change.path.name for change in changes], f"{directory}" if write else ""):
        _console.say(line)


def _document(tally: Tally, changes: list[Change], *, written: bool) -> dict[str, Any]:
    """What an update did, for scripts."""
    return {
        "releases": tally.releases,
        "kept": tally.kept,
        "wheels": tally.wheels,
        "libraries": tally.libraries,
        "bytes": {"total": tally.total, "most": tally.most},
        "without_build": tally.without_build,
        "changes": [{"file": change.path.name, "diff": change.diff} for change in changes],
        "written": written and bool(changes),
    }


def _summary(tally: Tally, changed: list[str], written: str) -> Iterator[str]:
    """What an update did; `written` is the folder if files were."""
    yield (
        f"{tally.releases} releases: {tally.kept} kept, {tally.wheels} wheels read"
        f" ({tally.total / 1e6:.0f} MB in all, at most {tally.most / 1e6:.1f} MB for one)"
    )
    if tally.libraries:
        yield f"{tally.libraries} wheels had their libraries read"
    if tally.without_build:
        yield f"{len(tally.without_build)} wheels say nothing of their build, such as {tally.without_build[0]}"
    from tfenv.cli._tables import verdict

    yield verdict(changed, written)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """A row for people."""
    yield f"{told['name']} {told['version']}, uploaded {told['uploaded'] or 'at an unknown time'}, tier {told['tier']}"
    yield f"  Python {told['requires_python'] or 'not said'}"
    for build in told["builds"]:
        yield f"  {build['platform']}: {_build(build)}"
        yield from (f"    {source}" for source in build["sources"])
    for wheel in told["wheels"]:
        size = "size not told" if wheel["size"] is None else f"{wheel['size'] / 1e6:.1f} MB"
        notes = ("" if wheel["yanked"] is None else ", yanked") + (
            ", metadata not read" if wheel["requires_dist"] is None else f", {len(wheel['requires_dist'])} requirements"
        )
        if wheel["glibc"] is not None:
            notes += f", asks for GLIBC_{wheel['glibc']}"
            notes += "" if wheel["glibcxx"] is None else f" and GLIBCXX_{wheel['glibcxx']}"
        yield f"  {wheel['filename']} ({size}{notes})"
    yield from (f"  {source}" for source in told["sources"])


def _build(build: dict[str, Any]) -> str:
    if build["cuda"] is None and "cuda" not in build["unknown"]:
        return "CPU only"
    cudnn = f"{build['cudnn'] or 'unknown'}" + (f" (at least {build['cudnn_floor']})" if build["cudnn_floor"] else "")
    sass = ", ".join(each + " (in part)" * (each in build["partial"]) for each in build["sass"]) or "unknown"
    ptx = ", ".join(build["ptx"]) or "unknown"
    inferred = f"; not from build_info.py: {', '.join(build['inferred'])}" if build["inferred"] else ""
    return f"CUDA {build['cuda'] or 'unknown'}, cuDNN {cudnn}, machine code for {sass}, PTX for {ptx}{inferred}"
