"""`tfenv render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfenv.cli import _console


def render(
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="The lock to read  [default: pylock.toml]")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="NAME", help="Read `pylock.NAME.toml`; name the outputs likewise.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write here  [default: beside the lock]")
    ] = None,
    requirements: Annotated[
        bool, typer.Option("--requirements", help="Write `requirements.txt` with hashes, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that tfenv did not write itself.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the names of the files as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing.")] = False,
) -> None:
    """Write environment.yml and Dockerfile again from the lock; nothing else is read."""
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.workflow import render as workflow

    path = lock_file or Path(workflow.lock_name(target))
    written = workflow.render(path, output or path.parent, target=target, with_requirements=requirements, force=force)
    if json_output:
        _console.document({"files": [str(each) for each in written]})
    else:
        _console.say(f"wrote {' '.join(str(each) for each in written)}")
