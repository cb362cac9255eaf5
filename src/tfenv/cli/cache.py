"""`tfenv cache`: what the cache holds, and the removal of what nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console, _options
from tfenv.cli._commands import PLAIN
from tfenv.cli._help import HelpfulCommand, HelpfulGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.store.pruning import Usage

app = typer.Typer(**PLAIN, cls=HelpfulGroup, help="Show or empty the cache of pages, metadata and wheels.")


@app.command(cls=HelpfulCommand)
def info(json_output: _options.JSON = False) -> None:
    """Show where the cache is and what it holds."""
    _console.configure(json_output=json_output)
    from tfenv.workflow import cache

    folder, held = cache.info()
    if json_output:
        _console.document({"directory": str(folder), "kinds": _kinds(held)})
        return
    _console.data("\n".join((str(folder), *(_line(kind) for kind in held), _sum(held))))


@app.command(cls=HelpfulCommand)
def prune(
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", min=0, help="Remove what was not used for so long  [default: 30]"),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove everything")] = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
) -> None:
    """Remove from the cache what nothing needs.

    That is what was not used for 30 days, and what interrupted commands left. Commands that use the cache are waited
    for.
    """
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.errors import UsageError
    from tfenv.store.pruning import UNUSED_DAYS
    from tfenv.workflow import cache

    if everything and older_than is not None:
        raise UsageError("`--all` removes everything, whatever its age", hint="leave out `--all` or `--older-than`")
    removed = cache.prune(older_than=UNUSED_DAYS if older_than is None else older_than, everything=everything)
    if json_output:
        _console.document({"removed": _kinds(removed)})
    else:
        _console.say(f"removed {_sum(removed)}" if removed else "nothing to remove")


def _kinds(held: Iterable[Usage]) -> dict[str, Any]:
    return {kind.kind: {"files": kind.files, "bytes": kind.size} for kind in held}


def _line(kind: Usage) -> str:
    return f"  {kind.kind:10} {kind.files:8} files {kind.size / 1e6:12.1f} MB"


def _sum(held: tuple[Usage, ...]) -> str:
    return f"{sum(kind.files for kind in held)} files, {sum(kind.size for kind in held) / 1e6:.1f} MB"
