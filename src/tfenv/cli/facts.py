"""`tfenv facts`: the facts in use, the facts about a release, and their update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console
from tfenv.cli._commands import PLAIN
from tfenv.cli._help import HelpfulCommand, HelpfulGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.harvest.update import TableReport

app = typer.Typer(**PLAIN, cls=HelpfulGroup, help="Show or update the facts that all answers depend on.")


@app.command(cls=HelpfulCommand)
def show(
    release: Annotated[
        str | None,
        typer.Argument(metavar="NAME==VERSION", help="Release, such as tensorflow==2.17.1  [default: the facts]"),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Show the facts in use, or the facts about a release."""
    _console.configure(json_output=json_output)
    from packaging.version import InvalidVersion, Version

    from tfenv.errors import UsageError
    from tfenv.facts import database
    from tfenv.model.package import normalize
    from tfenv.outputs import release as releases
    from tfenv.workflow import facts

    if release is None:
        found = facts.state()
        if json_output:
            _console.document(found)
        else:
            _console.data("\n".join(_state(found)))
        return
    name, equals, version = release.partition("==")
    try:
        wanted = Version(version)
    except InvalidVersion:
        equals = ""
        wanted = Version("0")
    if not (name.strip() and equals):
        raise UsageError(f"`{release}` is not a release", hint="write it as `tensorflow==2.17.1`")
    row = releases.document(normalize(name.strip()), wanted, database.load().releases)
    if json_output:
        _console.document(row)
    else:
        _console.data("\n".join(_lines(row)))


@app.command(cls=HelpfulCommand)
def update(
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TABLE", help="releases, symbols, modules, exports, projects, closures or needs  [default: all]"
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="NAME", help="Distributions of `releases`, releases of `symbols`, projects of `needs`."
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the files of the facts in use.")] = False,
    user: Annotated[
        bool, typer.Option("--user", help="Write newer facts to your data folder and use them from now on.")
    ] = False,
    reread: Annotated[
        bool, typer.Option("--reread", help="Read known rows again; a difference means that a row is wrong.")
    ] = False,
    index_url: Annotated[
        str | None, typer.Option("--index-url", metavar="URL", help="Package index  [default: PyPI]")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the differences.")] = False,
) -> None:
    """Read newly published releases, and show what changes in the facts."""
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.errors import UsageError
    from tfenv.model.goal import PYPI
    from tfenv.workflow import facts

    if write and user:
        raise UsageError("`--write` and `--user` exclude each other", hint="`--write` is for a checkout of tfenv")

    def reported(report: TableReport) -> None:
        if json_output:
            return
        for change in report.changes.values():
            _console.data(change.diff.rstrip("\n") or change.summary)
        for note in report.notes:
            _console.say(f"  {note}")
        _console.say(report.summary)

    with _console.progress() as progress:
        done = facts.update(
            tables or (),
            only=only or (),
            index=index_url or PYPI,
            write=write,
            user=user,
            reread=reread,
            reported=reported,
            progress=progress,
        )
    if json_output:
        folder = None if done.folder is None else str(done.folder)
        _console.document({"tables": [report.document for report in done.reports], "written": folder})
        return
    _console.say(_verdict(done.changed, done.folder))


def _verdict(changed: tuple[str, ...], folder: object) -> str:
    """Names of the files that changed or would change."""
    if not changed:
        return "nothing has changed"
    count = f"{len(changed)} file{'s' * (len(changed) != 1)}"
    if folder is not None:
        return f"wrote {count} in {folder}"
    return f"{count} would change; `--write` writes to a checkout, `--user` to your data folder"


def _state(found: dict[str, Any]) -> Iterator[str]:
    """The facts in use, as text."""
    whose = "read by `tfenv facts update --user`" if found["source"] == "user" else "included in tfenv"
    yield f"facts of {found['date']}, {whose}: {found['folder']}"
    yield f"  rows {found['facts']}, symbols {found['symbols']}, newest TensorFlow {found['newest']}"
    if found["unused"] is not None:
        yield f"  not used, because another tfenv wrote them: {found['unused']}"


def _lines(row: dict[str, Any]) -> Iterator[str]:
    """A row as text."""
    yield f"{row['name']} {row['version']}, uploaded {row['uploaded'] or 'unknown'}, tier {row['tier']}"
    yield f"  Python {row['requires_python'] or 'any'}"
    for build in row["builds"]:
        yield f"  {build['platform']}: {_build(build)}"
        yield from (f"    {source}" for source in build["sources"])
    for wheel in row["wheels"]:
        size = "size not known" if wheel["size"] is None else f"{wheel['size'] / 1e6:.1f} MB"
        notes = ("" if wheel["yanked"] is None else ", yanked") + (
            ", metadata not read" if wheel["requires_dist"] is None else f", {len(wheel['requires_dist'])} requirements"
        )
        if wheel["glibc"] is not None:
            notes += f", needs GLIBC_{wheel['glibc']}"
            notes += "" if wheel["glibcxx"] is None else f" and GLIBCXX_{wheel['glibcxx']}"
        yield f"  {wheel['filename']} ({size}{notes})"
    yield from (f"  {source}" for source in row["sources"])


def _build(build: dict[str, Any]) -> str:
    if build["cuda"] is None and "cuda" not in build["unknown"]:
        return "CPU only"
    cudnn = f"{build['cudnn'] or 'unknown'}" + (f" (at least {build['cudnn_floor']})" if build["cudnn_floor"] else "")
    sass = ", ".join(each + " (in part)" * (each in build["partial"]) for each in build["sass"]) or "unknown"
    ptx = ", ".join(build["ptx"]) or "unknown"
    inferred = f"; not from build_info.py: {', '.join(build['inferred'])}" if build["inferred"] else ""
    return f"CUDA {build['cuda'] or 'unknown'}, cuDNN {cudnn}, machine code for {sass}, PTX for {ptx}{inferred}"
