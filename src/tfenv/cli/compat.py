"""`tfenv compat`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfenv.cli import _console, _options


def compat(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPEC]", help='Which releases: `2.17` or `">=2.14"`  [default: the newest patch of every minor]'
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    json_output: _options.JSON = False,
) -> None:
    """What each release of TensorFlow asks of Python, CUDA, cuDNN, GPU and driver (Linux x86-64)."""
    _console.configure(json_output=json_output)
    from tfenv.outputs import compat as table
    from tfenv.workflow.compat import compat as rows

    found = rows(spec)
    if json_output:
        _console.document(table.document(found))
    else:
        _console.data(table.markdown(found) if markdown else table.lines(found))
