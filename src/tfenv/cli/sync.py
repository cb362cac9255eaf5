"""`tfenv sync`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options
from tfenv.outputs.names import lock_name

if TYPE_CHECKING:
    from tfenv.venv.sync import Plan


def sync(
    venv: Annotated[Path, typer.Option("--venv", metavar="DIR", help="Environment to create or change")] = Path(
        ".venv"
    ),
    python: Annotated[
        Path | None,
        typer.Option("--python", metavar="PATH", help="Interpreter to create it with  [default: search]"),
    ] = None,
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="Lock to install  [default: pylock.toml]")
    ] = None,
    target: _options.TARGET = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing")] = False,
    offline: _options.OFFLINE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Make a virtual environment match the lock.

    Hashes are checked. Packages that are not in the lock are removed.
    """
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    from tfenv.workflow.sync import sync as make

    started = time.perf_counter()
    lock = lock_file or Path(lock_name(target))
    with _console.progress() as progress:
        done = make(lock, venv, python=python, dry_run=dry_run, offline=offline, progress=progress)
    if json_output:
        _console.document(
            {
                "venv": str(done.directory),
                "python": str(done.python) if done.python else None,
                "installed": [f"{package.name}=={package.version}" for package in done.install],
                "removed": list(done.remove),
                "kept": done.keep,
                "swept": list(done.swept),
                "dry_run": dry_run,
            }
        )
        return
    if done.swept:
        _console.say(f"removed what an interrupted run left: {', '.join(done.swept)}")
    for package in done.install:
        _console.detail(f"  + {package.name} {package.version}")
    for name in done.remove:
        _console.detail(f"  - {name}")
    _console.say(_summary(done, dry_run=dry_run, seconds=time.perf_counter() - started))


def _summary(done: Plan, *, dry_run: bool, seconds: float) -> str:
    """One line: the changes made, or that would be made."""
    parts = [
        f"{count} {word}"
        for count, word in (
            (len(done.install), "to install" if dry_run else "installed"),
            (len(done.remove), "to remove" if dry_run else "removed"),
            (done.keep, "as locked"),
        )
        if count
    ]
    made = f" (new, with {done.python})" if done.python else ""
    timed = "" if dry_run else f" in {seconds:.1f} s        next: tfenv smoke --venv {done.directory}"
    return f"{done.directory}{made}: {', '.join(parts) or 'nothing to do'}{timed}"
