"""`tfenv smoke`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console, _options
from tfenv.outputs.names import lock_name

if TYPE_CHECKING:
    from tfenv.model.report import Report


def smoke(
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="Image to test  [default: the one that `tfenv build` makes]")
    ] = None,
    venv: Annotated[Path | None, typer.Option("--venv", metavar="DIR", help="Test a virtual environment")] = None,
    here: Annotated[bool, typer.Option("--here", help="Test the environment that tfenv runs in")] = False,
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="Lock to compare with  [default: pylock.toml]")
    ] = None,
    target: _options.TARGET = None,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Test an image or environment against its lock.

    Exits with 0 if every level passed, 6 if one failed, 7 if all passed but there was no GPU to test.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.errors import GpuNotTried, SmokeFailed
    from tfenv.workflow.smoke import smoke as prove

    report = prove(lock_file or Path(lock_name(target)), image=image, venv=venv, here=here)
    if json_output:
        _console.document(as_json(report))
    elif not quiet:
        _console.data(table(report))
    # the table shows the faults; the class sets the exit code
    if report.failed:
        raise SmokeFailed("")
    if report.gpu_wanted and not report.gpu_tried:
        raise GpuNotTried("")


def table(report: Report) -> str:
    """Print the levels, one a line, and the result."""
    from tfenv.model.report import Outcome

    width = max(len(level.title) for level in report.levels)
    outcome_width = max(len(outcome.value) for outcome in Outcome if outcome is not Outcome.NOT_TRIED)
    lines = []
    for level in report.levels:
        # "not tried on GPU: …" is one sentence, while "passed" and "failed" are a column
        gap = " " if level.outcome is Outcome.NOT_TRIED and level.detail.startswith("on ") else "   "
        if level.outcome is Outcome.NOT_TRIED and gap != " ":
            gap = ": "
        outcome = level.outcome.value.ljust(outcome_width)
        lines.append(f"L{level.number} {level.title.ljust(width)}  {outcome}{gap}{level.detail}".rstrip())
        lines += [f"     {finding}" for finding in level.findings if finding != level.detail]
    return "\n".join((*lines, _closing(report)))


def _closing(report: Report) -> str:
    if report.failed:
        broken = next(level for level in report.levels if level.outcome.value == "failed")
        return f"smoke failed at L{broken.number} (exit 6): {report.subject}"
    if report.gpu_wanted and not report.gpu_tried:
        return "smoke passed without a GPU (exit 7): run it again on the target machine"
    return f"smoke passed: {report.subject}"


def as_json(report: Report) -> dict[str, Any]:
    """The report as a JSON document."""
    return {
        "subject": report.subject,
        "passed": not report.failed,
        "gpu_wanted": report.gpu_wanted,
        "gpu_tried": report.gpu_tried,
        "levels": [
            {
                "level": level.number,
                "title": level.title,
                "outcome": level.outcome.value,
                "detail": level.detail,
                "findings": list(level.findings),
            }
            for level in report.levels
        ],
    }
