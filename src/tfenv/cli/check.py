"""`tfenv check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.model.report import Problem, Verdict


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Lock, requirements, freeze, environment.yml, Dockerfile or compose file",
        ),
    ] = None,
    requirements: Annotated[
        list[Path] | None, typer.Option("-r", "--requirement", metavar="FILE", help="Same as FILE")
    ] = None,
    tf: _options.TF = None,
    gpu: _options.GPU = None,
    driver: _options.DRIVER = None,
    python: _options.PYTHON = None,
    platform: _options.PLATFORM = None,
    glibc: _options.GLIBC = None,
    cpu: _options.CPU = None,
    cuda: Annotated[str | None, typer.Option("--cuda", metavar="X.Y", help="Installed CUDA version")] = None,
    cudnn: Annotated[str | None, typer.Option("--cudnn", metavar="X.Y", help="Installed cuDNN version")] = None,
    keras: _options.KERAS = None,
    package: Annotated[
        list[str] | None,
        typer.Option("--package", metavar="NAME==VERSION", help="Installed package; repeatable"),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FILE.json", help="Configuration as JSON; - reads standard input")
    ] = None,
    log: Annotated[str | None, typer.Option("--log", metavar="FILE", help="Error log; - reads standard input")] = None,
    offline: _options.OFFLINE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Find out whether a combination works.

    Exits with 1 if it is broken, and with 0 if it works or that is not known.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.errors import NotWorking
    from tfenv.model.report import Answer
    from tfenv.outputs import verdict as as_json
    from tfenv.store.files import read_standard_input
    from tfenv.workflow.check import check as judge

    with _console.progress() as progress:
        verdict = judge(
            [*(paths or ()), *(requirements or ())],
            tf=tf,
            gpus=gpu or (),
            driver=driver,
            python=python,
            platform=platform,
            glibc=glibc,
            cpu=cpu,
            cuda=cuda,
            cudnn=cudnn,
            keras=keras,
            packages=package or (),
            document=None if from_ is None else read_standard_input() if from_ == "-" else Path(from_),
            log=None if log is None else _log(log),
            offline=offline,
            progress=progress,
        )
    if json_output:
        _console.document(as_json.document(verdict))
    else:
        tell(verdict)
    if verdict.answer is Answer.BROKEN:
        raise NotWorking("")


def _log(name: str) -> str:
    """The relevant part of a log from a file or standard input."""
    from tfenv.errors import UsageError
    from tfenv.inputs.log import condensed
    from tfenv.store.files import standard_input

    if name == "-":
        return condensed(standard_input())
    try:
        with Path(name).open("rb") as stream:
            return condensed(stream)
    except OSError as error:
        raise UsageError(f"`{name}` cannot be read: {error.strerror}") from error


def tell(verdict: Verdict) -> None:
    """Print the verdict as text: problems, reasons and fixes."""
    from tfenv.model.report import Answer

    for problem in verdict.problems:
        _console.data(f"broken: {problem.subject}   [{problem.code}]")
        for line in because(problem):
            _console.data(f"  {line}")
        if problem.fixes:
            _console.data("  hint: any one of these, cheapest first" if len(problem.fixes) > 1 else "  hint:")
        for fix in problem.fixes:
            change = ", ".join(f"{key.removeprefix('packages.')} {value}" for key, value in fix.change)
            _console.data(f"    {fix.command}{f'     ({change})' if change else ''}")
    if verdict.answer is Answer.WORKS:
        _console.data("works")
    if verdict.unknown:
        head = "unknown, because these are missing" if verdict.answer is Answer.UNKNOWN else "not known"
        _console.data(f"{head}: {'; '.join(verdict.unknown)}")
    for warning in verdict.warnings:
        if warning.code == "assumed":
            _console.detail(f"  assumed: {warning.message}")
        else:
            _console.data(f"  warning: {warning.message}   [{warning.code}]")


def because(problem: Problem) -> list[str]:
    """One line for each reason, with its source; a source also applies to the following reasons without one."""
    lines = []
    for position, reason in enumerate(problem.because):
        source = problem.sources[position] if position < len(problem.sources) else ""
        lines.append(f"because {reason}" + (f"   [{source}]" if source else ""))
    return lines
