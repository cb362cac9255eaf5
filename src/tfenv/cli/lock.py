"""`tfenv lock`."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfenv.cli import _console, _options

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.inputs.request import ProjectRequest
    from tfenv.model.inferred import Answer
    from tfenv.model.lock import Lock
    from tfenv.model.machine import Machine
    from tfenv.model.progress import Progress
    from tfenv.workflow.request import Asked


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
    infer: Annotated[
        list[Path] | None,
        typer.Option("--infer", metavar="PATH", help="What this code or model needs; may be repeated."),
    ] = None,
    keras: _options.KERAS = None,
    prefer: _options.PREFER = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="FILE",
            help="Read `[project]` and `[tool.tfenv]` of this pyproject.toml  "
            "[default: ./pyproject.toml if it has a `[tool.tfenv]`]",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="One of several targets: its files are `pylock.NAME.toml` and so on; may be repeated.",
        ),
    ] = None,
    target_file: Annotated[
        Path | None,
        typer.Option("--target-file", metavar="FILE", help="Another machine, as `tfenv doctor --save` wrote it there."),
    ] = None,
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
    from tfenv.facts.database import load
    from tfenv.inputs.request import ProjectRequest
    from tfenv.store import files

    options = ProjectRequest(
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
        prefer=prefer,
        prereleases=prereleases,
    )
    database = load()
    code = _read(infer, database) if infer else None
    jobs = [
        _Job(options, one, project, output, database, profile=target_file, upgrade=upgrade, offline=offline, code=code)
        for one in dict.fromkeys([*(target or ())]) or (None,)
    ]
    if check:
        for job in jobs:
            job.check()
        return
    made: dict[str, dict[str, Any]] = {}
    with _console.progress() as progress:
        for job in jobs:
            made[job.target or ""] = job.lock(progress, with_requirements=requirements_txt)
    texts = {output / name: text for one in made.values() for name, text in one["texts"].items()}
    written = () if dry_run else files.write(texts, force=force)
    for job, one in zip(jobs, made.values(), strict=True):
        job.keep(one)
    seconds = time.perf_counter() - started
    if json_output:
        told = {key: {**one["summary"], "files": _of(one, written)} for key, one in made.items()}
        _console.document({"targets": told} if target and len(jobs) > 1 else told[jobs[0].target or ""])
        return
    for job, one in zip(jobs, made.values(), strict=True):
        job.tell(one, seconds, several=len(jobs) > 1)
    if written:
        shown = " ".join(path.name if output == Path() else str(path) for path in written)
        option = f" --target {jobs[0].target}" if target else ""
        _console.say(f"wrote {shown}        next: tfenv build{option} && tfenv smoke{option}")


class _Job:
    """The lock of one target."""

    def __init__(
        self,
        options: ProjectRequest,
        target: str | None,
        project: Path | None,
        output: Path,
        database: Database,
        *,
        profile: Path | None,
        upgrade: list[str] | None,
        offline: bool,
        code: tuple[Answer, str] | None,
    ) -> None:
        from tfenv.workflow.render import lock_name
        from tfenv.workflow.request import gather, project_here

        self.target = target
        self._database = database
        self._offline = offline
        self._upgrade = upgrade
        self._asked = gather(
            options,
            database=database,
            detect=_detected,
            project=project or project_here(),
            target=target,
            profile=profile,
        )
        if code is not None:
            self._asked = _with_code(self._asked, *code)
        self._file = output / lock_name(target)
        self._asides: list[str] = []

    @cached_property
    def _old(self) -> Lock | None:
        from tfenv.workflow import relock

        return relock.existing(
            self._file, lambda error: self._asides.append(f"nothing of the old lock is kept: {error.message}")
        )

    def check(self) -> None:
        """Say that the lock is up to date, or raise."""
        from tfenv.errors import LockOutdated
        from tfenv.store.cache import Cache
        from tfenv.workflow import relock

        request = self._asked.request
        kept = relock.is_kept(self._file, request, Cache())
        if not kept and (reason := relock.outdated(self._old, request)) is not None:
            raise LockOutdated(f"`{self._file}` {reason}", hint="run `tfenv lock` with the same options")
        _console.say(f"{self._file} is what is asked for")

    def lock(self, progress: Progress, *, with_requirements: bool) -> dict[str, Any]:
        """The files, and what is said of them."""
        from tfenv.store.cache import Cache
        from tfenv.workflow import relock, remembered

        old = self._old
        told_before = None if old is None else (old.notes, old.request.target)
        return remembered.locked(
            self._asked.request,
            lambda answer: _made(relock.with_notes(answer, old), self.target, with_requirements=with_requirements),
            label=f"files of {self.target} {with_requirements} {told_before}",
            database=self._database,
            cache=Cache(),
            indexes=self._asked.indexes,
            offline=self._offline,
            preferred=relock.preferences(old, self._upgrade),
            base_digest=relock.base_digest(
                old,
                self._upgrade,
                offline=self._offline,
                told=lambda error: self._asides.append(error.message),
            ),
            progress=progress,
        )

    def keep(self, made: dict[str, Any]) -> None:
        """Remember what the lock file is like."""
        from tfenv.store.cache import Cache
        from tfenv.workflow import relock

        relock.keep(made["texts"][self._file.name], self._asked.request, Cache())

    def tell(self, made: dict[str, Any], seconds: float, *, several: bool) -> None:
        """What was locked, and what is to be known of it."""
        for note in self._asked.notes:
            _console.say(f"  note: {note}")
        first, *rest = made["told"]
        _console.say(f"{self.target}: {first}" if several else f"{first} in {seconds:.1f} s")
        for line in rest:
            _console.say(line)
        for package, version in made["summary"]["packages"].items():
            _console.detail(f"  {package}=={version}")
        for aside in self._asides:
            _console.say(f"  note: {aside}")


def _detected() -> Machine:
    from tfenv.machine.detect import detect, load_nvml

    return detect(nvml=load_nvml())


def _read(paths: list[Path], database: Database) -> tuple[Answer, str]:
    """What the code needs, and what it is called in messages."""
    from tfenv.workflow.infer import infer

    with _console.progress() as progress:
        return infer(paths, database, progress=progress), " ".join(f"`{path}`" for path in paths)


def _with_code(asked: Asked, found: Answer, what: str) -> Asked:
    """What is asked for with what the code needs."""
    from tfenv.workflow.infer import narrowed

    request, notes = narrowed(asked.request, found, what)
    return replace(asked, request=request, notes=(*asked.notes, *notes))


def _of(made: dict[str, Any], written: tuple[Path, ...]) -> list[str]:
    """Those of the files that were written for one target."""
    return [str(path) for path in written if path.name in made["texts"]]


def _made(answer: Lock, target: str | None, *, with_requirements: bool) -> dict[str, Any]:
    """All that comes of a lock, as values of JSON."""
    from tfenv.outputs import pylock
    from tfenv.workflow.render import lock_name, outputs

    text = pylock.dumps(answer)
    texts = {lock_name(target): text}
    texts |= outputs(answer, text=text, target=target, with_requirements=with_requirements)
    return {"texts": texts, "told": _told(answer), "summary": _summary(answer)}


_DRIVES = {"tensorflow-metal": "Metal", "tensorflow-directml-plugin": "DirectML", "libtpu": "TPU"}
"""packages without which the GPU or TPU is not used, and how it is called"""


def _told(answer: Lock) -> list[str]:
    """In lines; how long it took belongs behind the first."""
    from tfenv.model.hardware import driver_text
    from tfenv.model.lock import Origin

    stack, needs, tensorflow = answer.stack, answer.needs, answer.tensorflow
    parts = [f"{tensorflow.name} {tensorflow.version}", f"Python {answer.target.python}"]
    if stack.cuda is not None:
        parts.append(f"CUDA {stack.cuda} ({stack.origin})")
        parts.append(f"cuDNN {stack.cudnn or 'unknown'}")
    elif stack.rocm is not None:
        parts.append(f"ROCm {stack.rocm} ({stack.origin})")
    elif (driven := next((package for name in _DRIVES if (package := answer.package(name))), None)) is not None:
        parts.append(f"{_DRIVES[driven.name]} ({driven.name} {driven.version})")
    elif stack.origin is Origin.NONE:
        parts.append("CPU only")
    parts.append(f"{len(answer.packages)} packages")
    lines = [" · ".join(parts), *(f"  {note}" for note in answer.notes)]
    asks = [
        f"driver ≥ {driver_text(needs.driver)}" if needs.driver else "",
        f"glibc ≥ {needs.glibc}" if needs.glibc else "",
        *(feature.upper() for feature in needs.cpu),
    ]
    if any(asks):
        lines.append(f"  needs: {' · '.join(filter(None, asks))}")
    return [*lines, *(f"  warning: {warning}" for warning in answer.warnings)]


def _summary(answer: Lock) -> dict[str, object]:
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
            "rocm": _text(answer.stack.rocm),
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
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
