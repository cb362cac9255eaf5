"""`tfenv init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfenv.cli import _console, _options


def init(
    tf: _options.TF = None,
    gpu: _options.GPU = None,
    driver: _options.DRIVER = None,
    python: _options.PYTHON = None,
    platform: _options.PLATFORM = None,
    glibc: _options.GLIBC = None,
    cpu: _options.CPU = None,
    with_: _options.WITH = None,
    requirements: _options.REQUIREMENTS = None,
    constraints: _options.CONSTRAINTS = None,
    extras: _options.EXTRAS = None,
    groups: _options.GROUPS = None,
    keras: _options.KERAS = None,
    prefer: _options.PREFER = None,
    exclude_newer: _options.EXCLUDE_NEWER = None,
    prereleases: _options.PRERELEASES = None,
    force_broken: _options.FORCE_BROKEN = None,
    index_url: _options.INDEX_URL = None,
    extra_index_url: _options.EXTRA_INDEX_URL = None,
    target: _options.TARGET = None,
    project: Annotated[Path, typer.Option("--project", metavar="FILE", help="File to change")] = Path("pyproject.toml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change; write nothing")] = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
) -> None:
    """Write the request into pyproject.toml.

    `tfenv lock` without options then reads it. Comments and layout of the file are kept.
    """
    values = _options.asked(locals())
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.workflow.init import init as write_request

    path = project / "pyproject.toml" if project.is_dir() else project
    edited = write_request(path, values, target=target, dry_run=dry_run)
    if json_output:
        _console.document({"file": str(edited.path), "diff": edited.diff, "written": bool(edited.diff) and not dry_run})
        return
    if dry_run:
        if edited.diff:
            _console.data(edited.diff)
        return
    if edited.diff:
        _console.say(f"{'made' if edited.created else 'changed'} {edited.path}        next: tfenv lock")
    else:
        _console.say(f"{edited.path} is up to date already        next: tfenv lock")
