"""`tfenv lock`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.workflow.lock.job import Locked


def lock(
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
    infer: Annotated[
        list[Path] | None,
        typer.Option(
            "--infer", metavar="PATH", help="Code or model to read: lock a release that it can run on; repeatable"
        ),
    ] = None,
    keras: _options.KERAS = None,
    prefer: _options.PREFER = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="FILE",
            help="pyproject.toml with the request  [default: the one here or above]",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="Target of pyproject.toml; its lock is pylock.NAME.toml; repeatable",
        ),
    ] = None,
    target_file: Annotated[
        Path | None,
        typer.Option("--target-file", metavar="FILE", help="Another machine, described by `tfenv doctor --save` there"),
    ] = None,
    upgrade: Annotated[
        list[str] | None,
        typer.Option("--upgrade", metavar="[NAME]", help="Upgrade every package, or only NAME; repeatable"),
    ] = None,
    exclude_newer: _options.EXCLUDE_NEWER = None,
    prereleases: _options.PRERELEASES = None,
    force_broken: _options.FORCE_BROKEN = None,
    offline: _options.OFFLINE = False,
    index_url: _options.INDEX_URL = None,
    extra_index_url: _options.EXTRA_INDEX_URL = None,
    allow_index_change: Annotated[
        bool,
        typer.Option("--allow-index-change", help="Let packages of the old lock come from another index"),
    ] = False,
    output: _options.OUTPUT = Path(),
    requirements_txt: Annotated[
        bool, typer.Option("--requirements-txt", help="Also write requirements.txt, with hashes")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check that the lock meets the request (exit 8 if not); write nothing")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the result; write nothing")] = False,
    force: _options.FORCE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Pick versions that work together and pin them by hash.

    Packages, Python and the machine are resolved together. Writes pylock.toml, environment.yml and Dockerfile.
    """
    values = _options.asked(locals())
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    started = time.perf_counter()
    from tfenv.inputs.request import of_options
    from tfenv.workflow.lock.declarations import project_here
    from tfenv.workflow.lock.service import check_lock, lock_targets

    request = of_options(values)
    targets = tuple(dict.fromkeys(target or [])) or (None,)
    if project is None and (project := project_here(Path())) is not None and output == Path():
        output = project.parent
    inputs: Any = {"project": project, "profile": target_file, "infer": infer or ()}
    with _console.progress() as progress:
        if check:
            checked = check_lock(request, targets, directory=output, progress=progress, report=_console.say, **inputs)
        else:
            made = lock_targets(
                request,
                targets,
                directory=output,
                upgrade="" in (upgrade or ()) or upgrade or False,
                dry_run=dry_run,
                requirements_txt=requirements_txt,
                allow_index_change=allow_index_change,
                force=force,
                offline=offline,
                progress=progress,
                report=lambda note: _console.say(f"  note: {note}"),
                **inputs,
            )
    if check:
        for path in checked:
            _console.say(f"{path} is what is asked for")
    elif json_output:
        documents = {one.target or "": {**one.summary, "files": list(map(str, one.written))} for one in made}
        _console.document({"targets": documents} if len(made) > 1 else documents[made[0].target or ""])
    else:
        _tell(made, time.perf_counter() - started, output)


def _tell(made: tuple[Locked, ...], seconds: float, output: Path) -> None:
    """Print the lock, the notes about it and the files written."""
    for locked in made:
        first, *rest = _lines(locked.summary)
        _console.say(f"{locked.target}: {first}" if len(made) > 1 else f"{first} in {seconds:.1f} s")
        for line in rest:
            _console.say(line)
        for package, version in locked.summary["packages"].items():
            _console.detail(f"  {package}=={version}")
        for note in locked.notes:
            _console.say(f"  note: {note}")
    if written := [path for locked in made for path in locked.written]:
        shown = " ".join(path.name if output == Path() else str(path) for path in written)
        option = f" --target {made[0].target}" if made[0].target else ""
        _console.say(f"wrote {shown}        next: tfenv build{option} && tfenv smoke{option}")


_DRIVES = {"tensorflow-metal": "Metal", "tensorflow-directml-plugin": "DirectML", "libtpu": "TPU"}
"""Packages that a GPU or TPU needs, with the name of what they drive."""


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """The lines that describe a lock; the first is a headline."""
    stack, needs, packages = summary["stack"], summary["needs"], summary["packages"]
    parts = [f"{summary['distribution']} {summary['tensorflow']}", f"Python {summary['python']}"]
    if stack["cuda"] is not None:
        parts.append(f"CUDA {stack['cuda']} ({stack['origin']})")
        parts.append(f"cuDNN {stack['cudnn'] or 'unknown'}")
    elif stack["rocm"] is not None:
        parts.append(f"ROCm {stack['rocm']} ({stack['origin']})")
    elif (driver := next((name for name in _DRIVES if name in packages), None)) is not None:
        parts.append(f"{_DRIVES[driver]} ({driver} {packages[driver]})")
    elif stack["origin"] == "none":
        parts.append("CPU only")
    yield " · ".join((*parts, f"{len(packages)} packages"))
    yield from (f"  {note}" for note in summary["notes"])
    asked = [
        f"driver ≥ {needs['driver']}{_more_drivers(needs['drivers'])}" if needs["driver"] else "",
        f"glibc ≥ {needs['glibc']}" if needs["glibc"] else "",
        *(feature.upper() for feature in needs["cpu"]),
    ]
    if any(asked):
        yield f"  needs: {' · '.join(filter(None, asked))}"
    yield from (f"  warning: {warning}" for warning in summary["warnings"])


def _more_drivers(drivers: dict[str, str]) -> str:
    """The lowest drivers of GPUs that need a different one."""
    words = [f"≥ {driver} from compute capability {capability} on" for capability, driver in drivers.items()]
    return f" ({', '.join(words)})" if words else ""
