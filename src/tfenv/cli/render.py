"""`tfenv render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfenv.cli import _console, _options


def render(
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="Lock to read  [default: pylock.toml in DIR]")
    ] = None,
    target: _options.TARGET = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write to  [default: that of the lock]"),
    ] = None,
    requirements_txt: Annotated[
        bool, typer.Option("--requirements-txt", help="Also write requirements.txt, with hashes")
    ] = False,
    force: _options.FORCE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
) -> None:
    """Write environment.yml and Dockerfile from the lock.

    Nothing but the lock is read.
    """
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.outputs.names import lock_name
    from tfenv.workflow import render as workflow

    path = lock_file or (output or Path()) / lock_name(target)
    written = workflow.render(path, output, target=target, requirements_txt=requirements_txt, force=force)
    if json_output:
        _console.document({"files": [str(each) for each in written]})
    else:
        _console.say(f"wrote {' '.join(str(each) for each in written)}")
