"""`tfenv lock`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.model.lock import Lock


def lock(
    tf: _options.TF = None,
    gpu: _options.GPU = None,
    driver: _options.DRIVER = None,
    python: _options.PYTHON = None,
    platform: _options.PLATFORM = None,
    glibc: _options.GLIBC = None,
    cpu: _options.CPU = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="REQUIREMENT", help="Wanted too, such as `pandas>=2`; may be repeated."),
    ] = None,
    requirements: Annotated[
        list[str] | None, typer.Option("-r", "--requirement", metavar="FILE", help="Wanted too: a requirements file.")
    ] = None,
    constraints: Annotated[
        list[str] | None, typer.Option("-c", "--constraint", metavar="FILE", help="Bounds: a constraints file.")
    ] = None,
    keras: _options.KERAS = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="FILE",
            help="Read `[project]` and `[tool.tfenv]` of this pyproject.toml  "
            "[default: ./pyproject.toml if it has a `[tool.tfenv]`]",
        ),
    ] = None,
    target: _options.TARGET = None,
    upgrade: Annotated[
        list[str] | None,
        typer.Option(
            "--upgrade", metavar="[NAME]", help="Take the newest of everything, or of NAME, not what is locked now."
        ),
    ] = None,
    exclude_newer: _options.EXCLUDE_NEWER = None,
    prereleases: Annotated[
        bool | None, typer.Option("--pre/--no-pre", help="TensorFlow may be a pre-release.", show_default=False)
    ] = None,
    offline: _options.OFFLINE = False,
    index_url: _options.INDEX_URL = None,
    extra_index_url: _options.EXTRA_INDEX_URL = None,
    output: _options.OUTPUT = Path(),
    requirements_txt: Annotated[
        bool, typer.Option("--requirements-txt", help="Write requirements.txt (with hashes) too.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Is the lock still what is asked for? Exit 8 if not; writes nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Resolve and tell; write nothing.")] = False,
    force: _options.FORCE = False,
    json_output: _options.JSON = False,
    quiet: _options.QUIET = False,
    verbose: _options.VERBOSE = False,
) -> None:
    """Resolve TensorFlow, its packages, Python and the machine together; lock the answer by hash."""
    _console.configure(json_output=json_output, quiet=quiet, verbose=verbose)
    started = time.perf_counter()
    from tfenv.errors import LockOutdated
    from tfenv.facts.database import load
    from tfenv.inputs.request import ProjectRequest
    from tfenv.machine.detect import detect, load_nvml
    from tfenv.outputs import pylock
    from tfenv.workflow import files, relock
    from tfenv.workflow.lock import lock as resolve
    from tfenv.workflow.render import lock_name, outputs
    from tfenv.workflow.request import gather, project_here

    database = load()
    asked = gather(
        ProjectRequest(
            tf=tf,
            gpu=tuple(gpu or ()),
            driver=driver,
            python=python,
            platform=platform,
            glibc=glibc,
            cpu=cpu,
            requirements=tuple(with_ or ()),
            requirements_files=tuple(requirements or ()),
            constraints_files=tuple(constraints or ()),
            index_url=index_url,
            extra_index_urls=tuple(extra_index_url or ()),
            exclude_newer=exclude_newer,
            keras=keras,
            prereleases=prereleases,
        ),
        database=database,
        detect=lambda: detect(nvml=load_nvml()),
        project=project or project_here(),
        target=target,
    )
    lock_file = output / lock_name(target)
    asides: list[str] = []
    old = relock.existing(lock_file, lambda error: asides.append(f"nothing of the old lock is kept: {error.message}"))
    if check:
        reason = relock.outdated(old, asked.request)
        if reason is not None:
            raise LockOutdated(f"`{lock_file}` {reason}", hint="run `tfenv lock` with the same options")
        _console.say(f"{lock_file} is what is asked for")
        return
    with _console.progress() as progress:
        answer = resolve(
            asked.request,
            database=database,
            indexes=asked.indexes,
            offline=offline,
            preferred=relock.preferences(old, upgrade),
            base_digest=relock.base_digest(
                old, upgrade, offline=offline, told=lambda error: asides.append(error.message)
            ),
            progress=progress,
        )
    answer = relock.with_notes(answer, old)
    texts = {lock_name(target): pylock.dumps(answer)}
    texts |= outputs(answer, target=target, with_requirements=requirements_txt)
    written = () if dry_run else files.write({output / name: text for name, text in texts.items()}, force=force)
    if json_output:
        _console.document(_summary(answer, written))
        return
    for note in asked.notes:
        _console.say(f"  note: {note}")
    _tell(answer, time.perf_counter() - started)
    for aside in asides:
        _console.say(f"  note: {aside}")
    if written:
        shown = " ".join(path.name if output == Path() else str(path) for path in written)
        option = f" --target {target}" if target else ""
        _console.say(f"wrote {shown}        next: tfenv build{option} && tfenv smoke{option}")


def _tell(answer: Lock, seconds: float) -> None:
    from tfenv.model.hardware import driver_text
    from tfenv.model.lock import Origin

    stack, needs, tensorflow = answer.stack, answer.needs, answer.tensorflow
    parts = [f"{tensorflow.name} {tensorflow.version}", f"Python {answer.target.python}"]
    if stack.cuda is not None:
        parts.append(f"CUDA {stack.cuda} ({stack.origin})")
        parts.append(f"cuDNN {stack.cudnn or 'unknown'}")
    elif stack.origin is Origin.NONE:
        parts.append("CPU only")
    parts.append(f"{len(answer.packages)} packages in {seconds:.1f} s")
    _console.say(" · ".join(parts))
    for note in answer.notes:
        _console.say(f"  {note}")
    asks = [
        f"driver ≥ {driver_text(needs.driver)}" if needs.driver else "",
        f"glibc ≥ {needs.glibc}" if needs.glibc else "",
        *(feature.upper() for feature in needs.cpu),
    ]
    if any(asks):
        _console.say(f"  needs: {' · '.join(filter(None, asks))}")
    for warning in answer.warnings:
        _console.say(f"  warning: {warning}")
    for package in answer.packages:
        _console.detail(f"  {package.name}=={package.version}")


def _summary(answer: Lock, written: tuple[Path, ...]) -> dict[str, object]:
    from tfenv.model.hardware import driver_text

    needs = answer.needs
    return {
        "tensorflow": str(answer.tensorflow.version),
        "distribution": answer.tensorflow.name,
        "python": str(answer.target.python),
        "stack": {
            "origin": str(answer.stack.origin),
            "cuda": _text(answer.stack.cuda),
            "cudnn": _text(answer.stack.cudnn),
            "nccl": _text(answer.stack.nccl),
        },
        "needs": {
            "driver": driver_text(needs.driver) if needs.driver else None,
            "sass": [str(each) for each in needs.sass],
            "ptx": [str(each) for each in needs.ptx],
            "glibc": _text(needs.glibc),
            "cpu": list(needs.cpu),
        },
        "base_image": str(answer.base_image) if answer.base_image else None,
        "packages": {package.name: str(package.version) for package in answer.packages},
        "notes": list(answer.notes),
        "warnings": list(answer.warnings),
        "files": [str(path) for path in written],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
