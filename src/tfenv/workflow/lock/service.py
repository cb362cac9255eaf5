"""`tfenv lock`: from requests to locks, the old ones kept as far as they fit, and to the files made from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.facts.database import load
from tfenv.model.progress import Progress, Silent
from tfenv.store import files
from tfenv.workflow.lock import old
from tfenv.workflow.lock.job import Locked, jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tfenv.inputs.request import Request
    from tfenv.model.lock import Lock
    from tfenv.store.cache import Cache


def lock(
    request: Request | None = None,
    *,
    directory: Path | str | None = None,
    target: str | None = None,
    project: Path | str | None = None,
    profile: Path | str | None = None,
    infer: Path | str | Iterable[Path | str] = (),
    upgrade: bool | str | Iterable[str] = False,
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
    infer: Path | str | Iterable[Path | str] = (),
    upgrade: bool | str | Iterable[str] = False,
    dry_run: bool = False,
    requirements_txt: bool = False,
    force: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
    report: Callable[[str], None] | None = None,
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
        report: called before the search with a sentence about each input that is not part of a lock, such as a
            requirement that cannot be locked, or `--gpu auto` on a machine without a GPU.

    Returns:
        The results of the targets, in the order of `targets`.

    Raises:
        TfenvError: as `lock`.
    """
    database, reporter = load(), progress or Silent()
    todo = jobs(request, targets, directory, project, profile, infer, cache, database, reporter)
    if report is not None:
        for note in dict.fromkeys(note for job in todo for note in job.wanted.notes):
            report(note)
    upgraded = upgrade if isinstance(upgrade, bool) else (upgrade,) if isinstance(upgrade, str) else tuple(upgrade)
    made = [
        job.made(database, upgraded, requirements_txt=requirements_txt, offline=offline, progress=reporter)
        for job in todo
    ]
    if directory is None or dry_run:
        return tuple(made)
    folder = Path(directory)
    written = files.write({folder / name: text for one in made for name, text in one.texts.items()}, force=force)
    for job, one in zip(todo, made, strict=True):
        old.keep(one.texts[job.name], job.wanted.goal, job.cache)
    return tuple(replace(one, written=tuple(path for path in written if path.name in one.texts)) for one in made)


def check_lock(
    request: Request | None = None,
    targets: Sequence[str | None] = (None,),
    *,
    directory: Path | str = ".",
    project: Path | str | None = None,
    profile: Path | str | None = None,
    infer: Path | str | Iterable[Path | str] = (),
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
    todo = jobs(request, targets, directory, project, profile, infer, cache, load(), progress or Silent())
    return tuple(job.up_to_date(report) for job in todo)
