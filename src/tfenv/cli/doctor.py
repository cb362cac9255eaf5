"""`tfenv doctor`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.model.inventory import Inventory
    from tfenv.workflow.doctor import Diagnosis, Runs


def doctor(
    venv: Annotated[
        Path | None,
        typer.Option("--venv", metavar="DIR", help="Environment to examine  [default: the active one]"),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", help="Write a description of this machine, for `tfenv lock --target-file`"
        ),
    ] = None,
    force: _options.FORCE = False,
    offline: _options.OFFLINE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Examine this machine: what runs, what is wrong.

    Prints what to do, and exits with 1 if something is broken.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.errors import NotWorking
    from tfenv.model.report import Answer
    from tfenv.workflow.doctor import doctor as examine

    with _console.progress() as progress:
        diagnosis = examine(venv, save=save, force=force, offline=offline, progress=progress)
    if json_output:
        _console.document(_document(diagnosis))
    else:
        _tell(diagnosis)
        if save is not None:
            _console.say(f"wrote {save}        elsewhere: tfenv lock --target-file {save}")
    if diagnosis.verdict.answer is Answer.BROKEN:
        raise NotWorking("")


def _tell(diagnosis: Diagnosis) -> None:
    from tfenv.cli.check import tell
    from tfenv.workflow.doctor import summary

    for heading, text in summary(diagnosis.machine):
        _console.data(f"{heading:<10}{text}")
    for line in diagnosis.machine.unknown:
        _console.data(f"{'not known':<10}{line}")
    _console.data("")
    _console.data(f"{'TensorFlow':<12}{'Python':<12}{'CPU':<6}GPU")
    for runs in diagnosis.releases:
        _console.data(f"{runs.version!s:<12}{_range(runs):<12}{'no' if runs.cpu else 'yes':<6}{_gpu(runs)}")
    _console.data("")
    if diagnosis.installed is not None:
        packages = dict(diagnosis.installed.packages)
        names = [name for name in ("tensorflow", "tensorflow-gpu", "tensorflow-cpu") if name in packages]
        what = ", ".join(f"{name} {packages[name]}" for name in names) or "no TensorFlow"
        _console.data(f"in {diagnosis.installed.directory}: {what}, Python {diagnosis.installed.python or 'unknown'}")
    tell(diagnosis.verdict)
    for number, line in enumerate(diagnosis.todo, 1):
        _console.data(f"{'to do' if number == 1 else '':<10}{number}. {line}")


def _range(runs: Runs) -> str:
    if not runs.pythons:
        return "no wheel"
    first, last = runs.pythons[0], runs.pythons[-1]
    return str(first) if first == last else f"{first}-{last}"


def _gpu(runs: Runs) -> str:
    if runs.gpu == "":
        return "-"
    if runs.gpu is not None:
        return f"no   {runs.gpu}"
    notes = ["the driver compiles PTX at first, for minutes"] if runs.jit else []
    notes += [f"with {runs.system} of the system or conda"] if runs.system else []
    return f"yes  {'; '.join(notes)}".rstrip()


def _document(diagnosis: Diagnosis) -> dict[str, object]:
    from tfenv.outputs import verdict

    installed = diagnosis.installed
    return {
        **verdict.document(diagnosis.verdict),
        "machine": _machine(diagnosis.machine),
        "releases": [
            {
                "tf": str(runs.version),
                "python": [str(python) for python in runs.pythons],
                "cpu": runs.cpu is None,
                "gpu": None if runs.gpu == "" else runs.gpu is None,
                "because": runs.gpu or runs.cpu or None,
                "ptx_jit": runs.jit,
                "system_cuda": runs.system or None,
            }
            for runs in diagnosis.releases
        ],
        "installed": None
        if installed is None
        else {
            "directory": str(installed.directory),
            "python": None if installed.python is None else str(installed.python),
            "packages": {name: str(version) for name, version in installed.packages},
        },
        "todo": list(diagnosis.todo),
    }


def _machine(machine: Inventory) -> dict[str, object]:
    from tfenv.model.hardware import driver_text

    driver = machine.driver
    return {
        "platform": None if machine.platform is None else str(machine.platform),
        "system": machine.system,
        "board": machine.board,
        "glibc": None if machine.glibc is None else str(machine.glibc),
        "microarchitecture": machine.microarchitecture,
        "level": machine.level,
        "cpu_flags": sorted(machine.cpu),
        "gpus": [
            {
                "name": gpu.name,
                "vendor": gpu.vendor,
                "compute_capability": None if gpu.capability is None else str(gpu.capability),
                "memory": gpu.memory,
            }
            for gpu in machine.gpus
        ],
        "driver": None
        if driver is None
        else {
            "version": driver_text(driver.version),
            "cuda": None if driver.cuda is None else str(driver.cuda),
            "trouble": driver.trouble,
        },
        "libraries": [
            {
                "soname": each.soname,
                "path": str(each.path),
                "version": None if each.version is None else str(each.version),
            }
            for each in machine.libraries
        ],
        "engines": [
            {"name": each.name, "version": each.version, "gpu": each.gpu, "trouble": each.trouble}
            for each in machine.engines
        ],
        "pythons": [
            {"path": str(each.path), "version": str(each.version), "pip": None if each.pip is None else str(each.pip)}
            for each in machine.interpreters
        ],
        "disk_free": machine.disk_free,
        "unknown": list(machine.unknown),
    }
