"""`tfenv onboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfenv.cli import _console, _options


def onboard(
    system: Annotated[
        str | None,
        typer.Option(
            "--system", metavar="NAME", help="System: debian, ubuntu, fedora, rhel or wsl  [default: this one]"
        ),
    ] = None,
    gpu: Annotated[
        bool | None,
        typer.Option(
            "--gpu/--no-gpu", help="Prepare for an NVIDIA GPU, or not  [default: as detected]", show_default=False
        ),
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run the script instead of printing it")] = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Print a script that prepares a machine.

    It installs the driver and GPU support for containers, then locks, builds and tests. Read it before running it.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.workflow import onboard as workflow

    with _console.progress() as progress:
        text = workflow.onboard(system, gpu=gpu, progress=progress)
    if run:
        workflow.run(text)
    elif json_output:
        _console.document({"script": text})
    else:
        _console.data(text.rstrip("\n"))
        _console.say("\nnothing was run: read it, save it as onboard.sh, then `sh onboard.sh`, or repeat with `--run`")
