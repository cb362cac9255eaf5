"""One target that is locked: the old lock read, the new one remembered or solved, its files made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from tfenv.errors import LockOutdated, NoSolution, TfenvError, UsageError
from tfenv.inputs.request import Request
from tfenv.machine.detect import load_nvml
from tfenv.machine.devices import gpus
from tfenv.machine.host import ThisHost
from tfenv.model.package import normalize
from tfenv.model.progress import Silent
from tfenv.outputs.names import lock_name
from tfenv.store import files
from tfenv.store.cache import Cache
from tfenv.workflow.lock import memory, old
from tfenv.workflow.lock.base_digest import BaseDigest
from tfenv.workflow.lock.declarations import left_out
from tfenv.workflow.lock.wanted import Wanted, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tfenv.facts.database import Database
    from tfenv.model.lock import Lock
    from tfenv.model.progress import Progress
    from tfenv.workflow.lock.wanted import Devices


class LockInputs(TypedDict, total=False):
    """Keyword arguments of `lock`, `lock_targets` and `check_lock`.

    Attributes:
        project: a `pyproject.toml` whose `[project]` and `[tool.tfenv]` are read too.
        profile: another machine, in a file that `tfenv doctor --save` wrote.
        infer: code or models; releases that cannot serve them are excluded.
        cache: cache of the indexes; by default the user's.
        progress: reports work under way.
    """

    project: Path | str | None
    profile: Path | str | None
    infer: Path | str | Iterable[Path | str]
    cache: Cache | None
    progress: Progress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What locking one target made.

    Attributes:
        target: name of the target; ``None`` where there is only one.
        texts: text of every file made from the lock, by name; the lock's own is the first.
        summary: the document of `tfenv lock --json`, without its files.
        notes: what this run could not do, one line each; not part of the lock.
        written: files that were written.
    """

    target: str | None
    texts: Mapping[str, str]
    summary: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    written: tuple[Path, ...] = ()

    @property
    def lock(self) -> Lock:
        """The lock, read from its text."""
        # 5 modules that the command does not need to print an answer from the cache
        from tfenv.outputs import pylock

        name = lock_name(self.target)
        return pylock.loads(self.texts[name], name)


class Job:
    """One target to lock.

    Attributes:
        name: name of its lock file.
        wanted: goal of the lock.
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
        allow_index_change: bool,
        offline: bool,
        progress: Progress,
    ) -> Locked:
        """The texts of all files, from the cache or from a search."""
        before = self._old()
        kept = None if before is None else (before.notes, before.held, before.request.target)
        preferred = old.preferences(before, self.wanted.goal, upgrade)
        foreign = {} if upgrade is True else self.wanted.preferred
        bound = None if allow_index_change else before
        origins = [] if bound is None else [package.file.index for package in bound.packages]

        def make(answer: Lock) -> dict[str, Any]:
            old.refuse_other_indexes(bound, answer)
            return self._make(old.with_reasons(answer, before, preferred), requirements_txt=requirements_txt)

        made = memory.remembered(
            self.wanted.goal,
            make,
            label=f"files of {self._target} {requirements_txt} {kept} {origins if len(set(origins)) > 1 else ''}",
            database=database,
            cache=Cache(self.cache.directory, stale=True) if upgrade is True and not offline else self.cache,
            indexes=self.wanted.indexes,
            offline=offline,
            preferred={**foreign, **preferred},
            base_digest=BaseDigest(before, upgrade, offline=offline, report=self._note),
            progress=progress,
        )
        taken = left_out(self.wanted.elsewhere, map(normalize, made["summary"]["packages"]))
        if taken:
            raise NoSolution(
                "\n".join(f"`{one.name}` is required by a package of an index, but {one}" for one in taken),
                hint="publish it to an index of your own, named by `--index-url`, or leave out what requires it",
            )
        return Locked(target=self._target, notes=tuple(self._notes), **made)

    def _make(self, answer: Lock, *, requirements_txt: bool) -> dict[str, Any]:
        # 11 modules that an answer from the cache does not need
        from tfenv.outputs import pylock, summary
        from tfenv.workflow.render import outputs

        text = pylock.dumps(answer)
        try:
            pylock.loads(text, self.name)
        except UsageError as error:  # nothing is written that tfenv and installers refuse
            python = answer.target.python
            raise NoSolution(
                f"what was found for Python {python} cannot be written as a lock, because {error.message}",
                hint="ask for another Python or another release: on this Python, a package has no file of a valid name",
            ) from error
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


def jobs(
    request: Request | None,
    targets: Sequence[str | None],
    directory: Path | str | None,
    database: Database,
    inputs: LockInputs,
) -> list[Job]:
    """One job for each target; the code of `infer` is read once. Arguments as in `tfenv.lock`.

    Raises:
        UsageError: an input cannot be read or has faults.
        NoSolution: no release serves the code.
    """
    project, profile = inputs.get("project"), inputs.get("profile")
    narrow = _narrowing(files.paths_of(inputs.get("infer", ())), database, inputs.get("progress") or Silent())
    wanted = [
        narrow(
            gather(
                request or Request(),
                detect=_devices,
                project=None if project is None else Path(project),
                target=target,
                profile=None if profile is None else Path(profile),
            )
        )
        for target in targets
    ]
    folder, kept = None if directory is None else Path(directory), inputs.get("cache") or Cache()
    return [Job(target, one, folder, kept) for target, one in zip(targets, wanted, strict=True)]


def refuse_others(given: Iterable[str], options: type) -> None:
    """Check names of keyword arguments, as Python does for those of a signature.

    Raises:
        TypeError: a name is not an attribute of the `TypedDict`.
    """
    for name in given:
        if name not in options.__annotations__:
            raise TypeError(f"`{name}` is not an argument; there are {', '.join(sorted(options.__annotations__))}")


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


def _devices() -> Devices:
    """The GPUs of this host and its NVIDIA driver: all that `--gpu auto` asks for, at the cost of nothing else."""
    return gpus(ThisHost(), load_nvml())
