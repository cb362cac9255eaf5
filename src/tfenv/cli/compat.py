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
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table")] = False,
    json_output: _options.JSON = False,
) -> None:
    """Show what each release requires.

    Python, CUDA, cuDNN, GPU code and driver, for Linux on x86-64.
    """
    _console.configure(json_output=json_output)
    from tfenv.outputs import compat as table
    from tfenv.workflow.compat import compat as rows

    found = rows(spec)
    if json_output:
        _console.document(table.document(found))
    else:
        _console.data(table.markdown(found) if markdown else table.lines(found))
