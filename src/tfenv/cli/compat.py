"""`tfenv compat`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfenv.cli import _console, _options


def compat(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="SPEC", help='Releases: 2.17 or ">=2.14"  [default: newest patch release of every minor]'
        ),
    ] = None,
    gpus: _options.GPU = None,
    driver: _options.DRIVER = None,
    python: _options.PYTHON = None,
    platform: _options.PLATFORM = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table")] = False,
    json_output: _options.JSON = False,
) -> None:
    """Show what each release requires.

    Python, CUDA, cuDNN, GPU code, driver, NumPy, protobuf and Keras. With a GPU, a driver, a Python or a
    platform, a column says whether the release works there, as `tfenv check` does.
    """
    _console.configure(json_output=json_output)
    from tfenv.outputs import compat as table
    from tfenv.workflow.compat import compat as rows
    from tfenv.workflow.compat import on_machine

    found = rows(spec, platform=platform)
    asked = bool(gpus or driver or python or platform)
    verdicts = on_machine(found, gpus=gpus or (), driver=driver, python=python, platform=platform) if asked else ()
    if json_output:
        _console.document(table.document(found, verdicts))
    else:
        _console.data(table.markdown(found, verdicts) if markdown else table.lines(found, verdicts))
