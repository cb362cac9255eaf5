"""`tfenv infer`."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.model.inferred import Finding, Inferred

_SHOWN = 30


def infer(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Python files, folders, notebooks, models, custom ops (.so)")
    ],
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """List the releases that code or a model works with.

    Reads Python files, notebooks, models and custom ops; runs nothing. If no
    release has everything, it lists those that serve most, and exits with 1.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    started = time.perf_counter()
    from tfenv.errors import NotWorking
    from tfenv.workflow.infer import infer as read

    with _console.progress() as progress:
        found = read(paths, progress=progress)
    if json_output:
        from tfenv.outputs.inferred import document

        _console.document(document(found))
    else:
        _tell(found, time.perf_counter() - started, every=verbose)
    if found.conflict or not found.releases:
        raise NotWorking("")


def _tell(found: Inferred, seconds: float, *, every: bool) -> None:
    python = f" · Python {found.python}" if found.python else ""
    if not found.conflict:
        _console.data(f"tensorflow {found.spec}{python}")
    else:
        served = f"{len(found.fit)} of {found.files} files, not {', '.join(found.misfit)}"
        _console.data("no release has everything that is used")
        if found.releases:
            _console.data(f"tensorflow {found.spec}{python} serves most: {served}")
        for one, two in found.contradictions:
            _console.data(f"  {_line(one)}")
            _console.data(f"    against {_line(two)}")
    _console.say(f"{found.files} files, {found.lines} lines read in {seconds:.1f} s")
    if found.companions:
        _console.data(f"companions: {', '.join(found.companions)}")
    if found.legacy_keras:
        _console.data("Keras 2: newer releases serve with TF_USE_LEGACY_KERAS=1 and the package tf-keras")
    findings = [one for one in found.findings if every or not one.guarded or not one.line]
    for finding in findings if every else findings[:_SHOWN]:
        _console.data(f"  {_line(finding)}")
    if len(findings) > _SHOWN and not every:
        _console.data(f"  and {len(findings) - _SHOWN} more: `--verbose` shows all")
    for text in found.unknown if every else found.unknown[:_SHOWN]:
        _console.data(f"  unknown: {text}")


def _line(finding: Finding) -> str:
    cell = f"cell {finding.cell}, " if finding.cell is not None else ""
    where = f"{finding.file}:{cell}{finding.line}" if finding.line else finding.file
    there = f"{finding.first} to {finding.last}" if finding.first else ""
    parts = [where, finding.symbol, there, f"now {finding.became}" if finding.became else "", finding.note]
    return "  ".join(filter(None, (*parts, "(guarded)" if finding.guarded else "")))
