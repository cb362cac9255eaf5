"""`tfenv lock`: from requests to locks, the old ones kept as far as they fit, and to the files made from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfenv.errors import LockOutdated, TfenvError
from tfenv.facts.database import load
from tfenv.inputs.request import Request
from tfenv.machine.detect import detect, load_nvml
from tfenv.model.progress import Progress, Silent
from tfenv.outputs.names import lock_name
from tfenv.store import files
from tfenv.store.cache import Cache
from tfenv.workflow.lock import memory, old
from tfenv.workflow.lock.wanted import Wanted, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tfenv.facts.database import Database
    from tfenv.model.lock import Lock
    from tfenv.model.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What locking one target made.

    Attributes:
        target: name of the target; ``None`` where there is only one.
        texts: text of every file made from the lock, by name; the lock's own is the first.
        summary: the document of `tfenv lock --json`, without its files.
        left_out: inputs that are not part of the lock, one line each.
        notes: what this run could not do, one line each; not part of the lock.
        written: files that were written.
    """

    target: str | None
    texts: Mapping[str, str]
    summary: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    written: tuple[Path, ...] = ()

    @property
    def lock(self) -> Lock:
        """The lock, read from its text."""
        # 5 modules that the command does not need to print an answer from the cache
        from tfenv.outputs import pylock

        name = lock_name(self.target)
        return pylock.loads(self.texts[name], name)


def lock(
    request: Request | None = None,
    *,
    directory: Path | str | None = None,
    target: str | None = None,
    project: Path | str | None = None,
    profile: Path | str | None = None,
    infer: Iterable[Path | str] = (),
    upgrade: bool | Iterable[str] = False,
    dry_run: bool = False,
    requirements_txt: bool = False,
    force: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Lock:
    """Resolve TensorFlow, its packages, Python and the machine together, and lock the answer by hash.

    Without `directory` no file is read or written besides the cache and the inputs named here. With it, this is
    `tfenv lock -o DIRECTORY`: versions that the lock there holds are kept where they fit, and the files are written.

    Example:
        >>> request = tfenv.Request(tf="2.20", gpus=["V100"], index_url="https://pypi.org/simple/")
        >>> locked = tfenv.lock(request)
        >>> str(locked.tensorflow.version), str(locked.stack.cudnn)
        ('2.20.0', '9.10.2.21')

    Args:
        request: what to lock; it replaces keys of the project.
        directory: where `pylock.toml` and the files made from it are.
        target: name of one of several targets; it becomes part of the files' names, such as `pylock.NAME.toml`.
        project: a `pyproject.toml` whose `[project]` and `[tool.tfenv]` are read too.
        profile: another machine, in a file that `tfenv doctor --save` wrote.
        infer: code or models; releases that cannot serve them are excluded.
        upgrade: ``True`` keeps nothing of the old lock; names of packages keep everything but these.
        dry_run: write no files.
        requirements_txt: make a requirements file too.
        force: overwrite files that tfenv did not write.
        offline: use only what is cached.
        cache: by default the user's.
        progress: reports work under way.

    Returns:
        The lock.

    Raises:
        UsageError: an input cannot be read or has faults, or a file cannot be written.
        NoSolution: nothing meets the request; the message is the chain of reasons, the hint has repairs.
        IndexUnavailable: an index did not answer.
        IntegrityError: a file does not have the hash that its index promises.
    """
    (locked,) = lock_targets(
        request,
        [target],
        directory=directory,
        project=project,
        profile=profile,
        infer=infer,
        upgrade=upgrade,
        dry_run=dry_run,
        requirements_txt=requirements_txt,
        force=force,
        offline=offline,
        cache=cache,
        progress=progress,
    )
    return locked.lock


def lock_targets(
    request: Request | None = None,
    targets: Sequence[str | None] = (None,),
    *,
    directory: Path | str | None = None,
    project: Path | str | None = None,
    profile: Path | str | None = None,
    infer: Iterable[Path | str] = (),
    upgrade: bool | Iterable[str] = False,
    dry_run: bool = False,
    requirements_txt: bool = False,
    force: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> tuple[Locked, ...]:
    """Lock several targets; files are written for all of them or for none.

    Example:
        >>> request = tfenv.Request(tf="2.20", index_url="https://pypi.org/simple/")
        >>> (locked,) = tfenv.lock_targets(request, directory="elsewhere", dry_run=True)
        >>> list(locked.texts), locked.summary["tensorflow"], locked.written
        (['pylock.toml', 'environment.yml', 'Dockerfile'], '2.20.0', ())

    Args:
        request: what to lock; it replaces keys of the project.
        targets: their names, tables of `[tool.tfenv.targets]` in the project.
        directory: as in `lock`, like everything that follows.
        project: as in `lock`.
        profile: as in `lock`.
        infer: as in `lock`.
        upgrade: as in `lock`.
        dry_run: as in `lock`.
        requirements_txt: as in `lock`.
        force: as in `lock`.
        offline: as in `lock`.
        cache: as in `lock`.
        progress: as in `lock`.

    Returns:
        What each target came to, in the order of `targets`.

    Raises:
        TfenvError: as `lock`.
    """
    database, reporter = load(), progress or Silent()
    jobs = _jobs(request, targets, directory, project, profile, infer, cache, database, reporter)
    upgraded = upgrade if isinstance(upgrade, bool) else tuple(upgrade)
    made = [
        job.made(database, upgraded, requirements_txt=requirements_txt, offline=offline, progress=reporter)
        for job in jobs
    ]
    if directory is None or dry_run:
        return tuple(made)
    folder = Path(directory)
    written = files.write({folder / name: text for one in made for name, text in one.texts.items()}, force=force)
    for job, one in zip(jobs, made, strict=True):
        old.keep(one.texts[job.name], job.wanted.goal, job.cache)
    return tuple(replace(one, written=tuple(path for path in written if path.name in one.texts)) for one in made)


def check_lock(
    request: Request | None = None,
    targets: Sequence[str | None] = (None,),
    *,
    directory: Path | str = ".",
    project: Path | str | None = None,
    profile: Path | str | None = None,
    infer: Iterable[Path | str] = (),
    cache: Cache | None = None,
    progress: Progress | None = None,
    report: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Are the locks still what a request asks for? No index is asked, and nothing is written.

    Example:
        >>> tfenv.check_lock(tfenv.Request(tf="2.19", python="3.12", index_url="https://pypi.org/simple/"))
        Traceback (most recent call last):
            ...
        tfenv.errors.LockOutdated: `pylock.toml` was made for another request: TensorFlow was ==2.20.*, now ==2.19.*

    Args:
        request: as in `lock`, like everything that follows.
        targets: names of the targets to check.
        directory: where the locks are.
        project: as in `lock`.
        profile: as in `lock`.
        infer: as in `lock`.
        cache: as in `lock`.
        progress: as in `lock`.
        report: called with a sentence about each lock that answers the request, but was written by an older tfenv.

    Returns:
        The locks, all of which are up to date.

    Raises:
        LockOutdated: a lock is missing, is not a lock of tfenv, or was made for another request.
        UsageError: an input cannot be read or has faults.
    """
    jobs = _jobs(request, targets, directory, project, profile, infer, cache, load(), progress or Silent())
    return tuple(job.up_to_date(report) for job in jobs)


def _jobs(
    request: Request | None,
    targets: Sequence[str | None],
    directory: Path | str | None,
    project: Path | str | None,
    profile: Path | str | None,
    infer: Iterable[Path | str],
    cache: Cache | None,
    database: Database,
    progress: Progress,
) -> list[_Job]:
    narrow = _narrowing([Path(path) for path in infer], database, progress)
    wanted = [
        narrow(
            gather(
                request or Request(),
                detect=_this_machine,
                project=None if project is None else Path(project),
                target=target,
                profile=None if profile is None else Path(profile),
            )
        )
        for target in targets
    ]
    folder, kept = None if directory is None else Path(directory), cache or Cache()
    return [_Job(target, one, folder, kept) for target, one in zip(targets, wanted, strict=True)]


class _Job:
    """One target to lock.

    Attributes:
        name: of its lock file.
        wanted: what the lock has to meet.
        cache: of the indexes, and of what was made before.
    """

    def __init__(self, target: str | None, wanted: Wanted, folder: Path | None, cache: Cache) -> None:
        self.name = lock_name(target)
        self.wanted = wanted
        self.cache = cache
        self._target = target
        self._file = None if folder is None else folder / self.name
        self._notes: list[str] = []

    def up_to_date(self, report: Callable[[str], None] | None) -> Path:
        """The lock file.

        Args:
            report: as in `check_lock`.

        Raises:
            LockOutdated: it does not meet the goal.
        """
        assert self._file is not None
        goal = self.wanted.goal
        if old.is_kept(self._file, goal, self.cache):
            return self._file
        there = self._old()
        if (reason := old.outdated(there, goal)) is not None:
            raise LockOutdated(f"`{self._file}` {reason}", hint="run `tfenv lock` with the same options")
        if report is not None and old.is_of_older_program(there, goal):
            report(f"{self._file} was written by an older tfenv; the next `tfenv lock` writes it again")
        return self._file

    def made(
        self,
        database: Database,
        upgrade: bool | tuple[str, ...],
        *,
        requirements_txt: bool,
        offline: bool,
        progress: Progress,
    ) -> Locked:
        """The texts of all files, from the cache or from a search."""
        before = self._old()
        kept = None if before is None else (before.notes, before.request.target)
        made = memory.remembered(
            self.wanted.goal,
            lambda answer: self._make(old.with_notes(answer, before), requirements_txt=requirements_txt),
            label=f"files of {self._target} {requirements_txt} {kept}",
            database=database,
            cache=self.cache,
            indexes=self.wanted.indexes,
            offline=offline,
            preferred=old.preferences(before, upgrade),
            base_digest=old.base_digest(before, upgrade, offline=offline, report=self._note),
            progress=progress,
        )
        return Locked(target=self._target, left_out=self.wanted.notes, notes=tuple(self._notes), **made)

    def _make(self, answer: Lock, *, requirements_txt: bool) -> dict[str, Any]:
        # 11 modules that an answer from the cache does not need
        from tfenv.outputs import pylock, summary
        from tfenv.workflow.render import outputs

        text = pylock.dumps(answer)
        others = outputs(answer, text=text, target=self._target, with_requirements=requirements_txt)
        return {"texts": {self.name: text, **others}, "summary": summary.document(answer)}

    def _old(self) -> Lock | None:
        if self._file is None:
            return None
        return old.existing(
            self._file, lambda error: self._notes.append(f"nothing of the old lock is kept: {error.message}")
        )

    def _note(self, error: TfenvError) -> None:
        self._notes.append(error.message)


def _narrowing(paths: Sequence[Path], database: Database, progress: Progress) -> Callable[[Wanted], Wanted]:
    """Narrows goals to the releases that serve code; the code is read once."""
    if not paths:
        return lambda wanted: wanted
    # the readers of code and models: 33 modules that a lock without `--infer` does not need
    from tfenv.workflow.infer import infer_with, narrowed

    found = infer_with(paths, database, progress)
    names = " ".join(f"`{path}`" for path in paths)

    def narrow(wanted: Wanted) -> Wanted:
        goal, notes = narrowed(wanted.goal, found, names)
        return replace(wanted, goal=goal, notes=(*wanted.notes, *notes))

    return narrow


def _this_machine() -> Machine:
    return detect(nvml=load_nvml())
