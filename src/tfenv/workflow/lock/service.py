"""`tfenv lock`: from requests to locks, the old ones kept as far as they fit, and to the files made from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.facts.database import load
from tfenv.model.progress import Silent
from tfenv.store import files
from tfenv.workflow.lock import old
from tfenv.workflow.lock.job import Locked, LockInputs, jobs, refuse_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Unpack

    from tfenv.inputs.request import Request
    from tfenv.model.lock import Lock


class LockOptions(LockInputs, total=False):
    """Keyword arguments of `lock` and `lock_targets`, in addition to those of `LockInputs`.

    Attributes:
        directory: folder of `pylock.toml` and the files made from it.
        upgrade: ``True`` keeps nothing of the old lock; names of packages keep everything but these.
        dry_run: whether to write no files.
        requirements_txt: whether to make a requirements file too.
        allow_index_change: whether a package of the old lock may come from another index than before.
        force: whether to overwrite files that tfenv did not write.
        offline: whether to use only what is cached.
    """

    directory: Path | str | None
    upgrade: bool | str | Iterable[str]
    dry_run: bool
    requirements_txt: bool
    allow_index_change: bool
    force: bool
    offline: bool


def lock(request: Request | None = None, *, target: str | None = None, **options: Unpack[LockOptions]) -> Lock:
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
        target: name of one of several targets; it becomes part of the files' names, such as `pylock.NAME.toml`.
        **options: `LockOptions`.

    Returns:
        The lock.

    Raises:
        UsageError: an input cannot be read or has faults, or a file cannot be written.
        NoSolution: nothing meets the request; the message is the chain of reasons, the hint has repairs.
        IndexUnavailable: an index did not answer.
        IntegrityError: a file does not have the hash that its index promises.
    """
    (locked,) = lock_targets(request, [target], **options)
    return locked.lock


def lock_targets(
    request: Request | None = None,
    targets: Sequence[str | None] = (None,),
    *,
    report: Callable[[str], None] | None = None,
    **options: Unpack[LockOptions],
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
        report: called before the search with a sentence about each input that is not part of a lock, such as a
            requirement that cannot be locked, or `--gpu auto` on a machine without a GPU.
        **options: `LockOptions`.

    Returns:
        The results of the targets, in the order of `targets`.

    Raises:
        TfenvError: as `lock`.
    """
    refuse_others(options, LockOptions)
    database = load()
    directory, offline = options.get("directory"), options.get("offline", False)
    todo = jobs(request, targets, directory, database, options)
    if report is not None:
        for note in dict.fromkeys(note for job in todo for note in job.wanted.notes):
            report(note)
    upgrade = options.get("upgrade", False)
    upgraded = upgrade if isinstance(upgrade, bool) else (upgrade,) if isinstance(upgrade, str) else tuple(upgrade)
    with_requirements, progress = options.get("requirements_txt", False), options.get("progress") or Silent()
    made = [
        job.made(
            database,
            upgraded,
            requirements_txt=with_requirements,
            allow_index_change=options.get("allow_index_change", False),
            offline=offline,
            progress=progress,
        )
        for job in todo
    ]
    if directory is None or options.get("dry_run"):
        return tuple(made)
    folder = Path(directory)
    written = files.write(
        {folder / name: text for one in made for name, text in one.texts.items()}, force=options.get("force", False)
    )
    for job, one in zip(todo, made, strict=True):
        old.keep(one.texts[job.name], job.wanted.goal, job.cache)
    return tuple(replace(one, written=tuple(path for path in written if path.name in one.texts)) for one in made)


def check_lock(
    request: Request | None = None,
    targets: Sequence[str | None] = (None,),
    *,
    directory: Path | str = ".",
    report: Callable[[str], None] | None = None,
    **inputs: Unpack[LockInputs],
) -> tuple[Path, ...]:
    """Are the locks still what a request asks for? No index is asked, and nothing is written.

    Example:
        >>> tfenv.check_lock(tfenv.Request(tf="2.19", python="3.12", index_url="https://pypi.org/simple/"))
        Traceback (most recent call last):
            ...
        tfenv.errors.LockOutdated: `pylock.toml` was made for another request: TensorFlow was ==2.20.*, now ==2.19.*

    Args:
        request: as in `lock`.
        targets: names of the targets to check.
        directory: folder of the locks.
        report: called with a sentence about each lock that answers the request, but was written by an older tfenv.
        **inputs: `LockInputs`.

    Returns:
        The locks, all of which are up to date.

    Raises:
        LockOutdated: a lock is missing, is not a lock of tfenv, or was made for another request.
        UsageError: an input cannot be read or has faults.
    """
    refuse_others(inputs, LockInputs)
    todo = jobs(request, targets, directory, load(), inputs)
    return tuple(job.up_to_date(report) for job in todo)
