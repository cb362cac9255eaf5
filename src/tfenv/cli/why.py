"""`tfenv why`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.workflow.why import Why

_SHOWN = 5


def why(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Package in the lock")],
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="Lock to read  [default: pylock.toml in DIR]")
    ] = None,
    target: _options.TARGET = None,
    output: _options.OUTPUT = Path(),
    json_output: _options.JSON = False,
) -> None:
    """Show what brought a package into the lock.

    Prints the chain of requirements and what holds the package at its version. Reads only the lock.
    """
    _console.configure(json_output=json_output)
    from tfenv.outputs.names import lock_name
    from tfenv.workflow.why import why as workflow

    answer = workflow(name, lock_file or output / lock_name(target))
    if json_output:
        _console.document(_document(answer))
    else:
        _tell(answer)


def _tell(answer: Why) -> None:
    package, held = answer.package, answer.held
    _console.data(f"{package.name} {package.version}")
    for chain in answer.chains[:_SHOWN]:
        path = " → ".join(f"{each.name} {each.version}" for each in chain[:-1])
        _console.data(f"  {path} → {package.name}" if path else "  the request asks for it")
    if len(answer.chains) > _SHOWN:
        _console.data(f"  and {len(answer.chains) - _SHOWN} more that require it")
    if held is None:
        _console.data("  there was nothing newer when it was locked")
    elif held.because:
        _console.data(f"  not {held.before}: {held.because}")
    else:
        _console.data(f"  not {held.before}: nothing by itself forbids it; try `tfenv lock --upgrade {package.name}`")


def _document(answer: Why) -> dict[str, object]:
    package, held = answer.package, answer.held
    return {
        "name": package.name,
        "version": str(package.version),
        "direct": package.direct,
        "chains": [[f"{each.name}=={each.version}" for each in chain] for chain in answer.chains],
        "held": None if held is None else {"before": str(held.before), "because": held.because or None},
    }
