"""`tfenv init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfenv.cli import _console


def init(
    tf: Annotated[str | None, typer.Option("--tf", metavar="SPEC", help="Such as 2.17 or '>=2.15,<2.18'.")] = None,
    gpu: Annotated[
        list[str] | None, typer.Option("--gpu", metavar="GPU", help="cuda12, none, a name such as v100; repeatable.")
    ] = None,
    driver: Annotated[str | None, typer.Option("--driver", metavar="VERSION", help="NVIDIA driver.")] = None,
    python: Annotated[str | None, typer.Option("--python", metavar="VERSION", help="Such as 3.11.")] = None,
    platform: Annotated[str | None, typer.Option("--platform", metavar="NAME", help="Such as linux-x86_64.")] = None,
    glibc: Annotated[str | None, typer.Option("--glibc", metavar="VERSION", help="Such as 2.31.")] = None,
    cpu: Annotated[str | None, typer.Option("--cpu", metavar="CPU", help="x86-64-v3, or flags avx,avx2.")] = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="REQUIREMENT", help="A further package; repeatable.")
    ] = None,
    requirements: Annotated[
        list[str] | None, typer.Option("-r", "--requirements", metavar="FILE", help="Requirements file; repeatable.")
    ] = None,
    constraints: Annotated[
        list[str] | None, typer.Option("-c", "--constraints", metavar="FILE", help="Constraints file; repeatable.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option("--extra", metavar="NAME", help="An extra of the project; repeatable.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME", help="A dependency group; repeatable.")
    ] = None,
    index_url: Annotated[str | None, typer.Option("--index-url", metavar="URL", help="Instead of PyPI.")] = None,
    extra_index_url: Annotated[
        list[str] | None, typer.Option("--extra-index-url", metavar="URL", help="A further index; repeatable.")
    ] = None,
    exclude_newer: Annotated[
        str | None, typer.Option("--exclude-newer", metavar="DATE", help="Files uploaded later do not exist.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="NAME", help="Write `[tool.tfenv.targets.NAME]`.")
    ] = None,
    project: Annotated[Path, typer.Option("--project", metavar="FILE", help="The project.")] = Path("pyproject.toml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the change, write nothing.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing.")] = False,
) -> None:
    """Write the request into pyproject.toml, its style kept; `tfenv lock` without options reads it."""
    _console.configure(quiet=quiet)
    from tfenv.facts.database import load
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
    }
    path = project / "pyproject.toml" if project.is_dir() else project
    edited = write_request(
        path,
        {key: value for key, value in asked.items() if value},
        gpus=load().gpus,
        target=target,
        dry_run=dry_run,
    )
    if dry_run:
        if edited.diff:
            _console.data(edited.diff)
        return
    if edited.diff:
        _console.say(f"{'made' if edited.created else 'changed'} {edited.path}        next: tfenv lock")
    else:
        _console.say(f"{edited.path} says that already        next: tfenv lock")
