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
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="REQUIREMENT", help="Additional requirement, for example pandas>=2; repeatable"),
    ] = None,
    requirements: Annotated[
        list[str] | None, typer.Option("-r", "--requirement", metavar="FILE", help="Requirements file; repeatable")
    ] = None,
    constraints: Annotated[
        list[str] | None,
        typer.Option("-c", "--constraint", metavar="FILE", help="Constraints file: bounds only; repeatable"),
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option("--extra", metavar="NAME", help="Extra of the project; repeatable")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME", help="Dependency group of the project; repeatable")
    ] = None,
    keras: _options.KERAS = None,
    prefer: _options.PREFER = None,
    exclude_newer: _options.EXCLUDE_NEWER = None,
    prereleases: Annotated[
        bool | None, typer.Option("--pre/--no-pre", help="Allow pre-releases of TensorFlow", show_default=False)
    ] = None,
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
    _console.configure(json_output=json_output, quiet=quiet)
    from tfenv.workflow.init import init as write_request

    asked: dict[str, object] = {
        "tf": tf,
        "gpu": gpu,
        "driver": driver,
        "python": python,
        "platform": platform,
        "glibc": glibc,
        "cpu": cpu,
        "with": with_,
        "requirements": requirements,
        "constraints": constraints,
        "extras": extra,
        "groups": group,
        "index-url": index_url,
        "extra-index-url": extra_index_url,
        "exclude-newer": exclude_newer,
        "keras": keras,
        "prefer": prefer,
        "prereleases": prereleases,
        "force-broken": force_broken,
    }
    path = project / "pyproject.toml" if project.is_dir() else project
    edited = write_request(
        path,
        {key: value for key, value in asked.items() if value not in (None, [])},
        target=target,
        dry_run=dry_run,
    )
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
