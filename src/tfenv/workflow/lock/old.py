"""The lock that is already there: what is kept from it, and whether it still meets the goal."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, normalize
from tfenv.outputs.request import inputs_digest
from tfenv.store import files
from tfenv.workflow.lock.memory import program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.lock import HeldBack, Lock
    from tfenv.store.cache import Cache

_HELD = " held at "
"""What a note has between the name and the version, see `tfenv.resolver`."""


def existing(path: Path, report: Callable[[UsageError], None]) -> Lock | None:
    """The lock in a file; ``None`` if the file does not exist or is not a lock of tfenv.

    Args:
        path: of the file.
        report: called with the faults of a file that cannot be read.
    """
    if not path.exists():
        return None
    # 5 modules that `lock --check` does not need for a lock that this program wrote
    from tfenv.outputs import pylock

    try:
        return pylock.loads(files.read(path), str(path))
    except UsageError as error:
        report(error)
        return None


def keep(text: str, goal: Goal, cache: Cache) -> None:
    """Remember the exact text of a lock that this program made, and for which goal."""
    cache.keep_document(_written(text), {"inputs": inputs_digest(goal)})


def is_kept(path: Path, goal: Goal, cache: Cache) -> bool:
    """Whether the text of a lock is exactly what this program made for this goal, so that it need not be parsed."""
    try:
        known = cache.document(_written(files.read(path)))
    except UsageError:
        return False
    return known == {"inputs": inputs_digest(goal)}


def _written(text: str) -> str:
    return f"written {' '.join(program())} {hashlib.sha256(text.encode()).hexdigest()}"


def is_of_older_program(old: Lock | None, goal: Goal) -> bool:
    """Was a lock made for this goal by a tfenv that computes the digest of a goal in another way?

    Such a lock is not out of date: it answers the same request, this tfenv reads it, and what it pins does not depend
    on who wrote it. So `lock --check` passes it and says so; a continuous integration that installs a newer tfenv must
    not fail for that reason alone. The next `tfenv lock` writes it again with the same pins.
    """
    return old is not None and old.inputs != (now := inputs_digest(goal)) and inputs_digest(old.request) == now


def outdated(old: Lock | None, goal: Goal) -> str | None:
    """Why a lock does not meet a goal; ``None`` if it does."""
    if old is None:
        return "is missing, or is not a lock of tfenv"
    if old.inputs == inputs_digest(goal) or is_of_older_program(old, goal):
        return None
    before, now = _asks(old.request), _asks(goal)
    changed = [f"{key} was {before[key]}, now {now[key]}" for key in now if before[key] != now[key]]
    return "was made for another request: " + ("; ".join(changed) or "its requirements have changed")


def refuse_other_indexes(old: Lock | None, new: Lock) -> None:
    """Check that no package changed from one index of the goal to another.

    An index that does not answer for one of its projects for a moment must not hand the name to another index.

    Raises:
        IndexUnavailable: a package of the old lock now comes from another index, although its own is still in use.
    """
    before = {} if old is None else {package.name: package.file.index for package in old.packages}
    changed = [
        f"`{package.name}` came from {was}, and now comes from {package.file.index}"
        for package in new.packages
        if (was := before.get(package.name)) and was in new.request.indexes and was != package.file.index
    ]
    if changed:
        raise IndexUnavailable(
            "\n  ".join(("another index would provide packages of the lock:", *changed)),
            hint="find out why the index lacks them now; if that is right, use `tfenv lock --allow-index-change`",
        )


def preferences(old: Lock | None, goal: Goal, upgrade: Iterable[str] | bool) -> dict[Name, Version]:
    """The versions to keep: those of the old lock, Python among them, without what is to be upgraded.

    On another machine, what the old machine held back is free again, with all that was locked because of it.
    """
    if old is None or upgrade is True:
        return {}
    names = set(upgrade or ())
    kept = {package.name: package.version for package in old.packages}
    # what is asked for is `tensorflow`, whichever distribution answers
    answered = next((kept[one] for one in TENSORFLOWS if one in kept), None)
    if answered is not None:
        kept[TENSORFLOW] = answered
    if old.target.python is not None:
        kept[Name("python")] = old.target.python
    for name in (*map(normalize, names), *_loosened(old, goal)):
        for one in TENSORFLOWS if name in TENSORFLOWS else (name,):
            kept.pop(one, None)
    return kept


def _loosened(old: Lock, goal: Goal) -> set[Name]:
    """What another machine held back, what only that brought, and Python if TensorFlow is among it."""
    if old.request.target == goal.target:
        return set()
    held = {normalize(note.partition(_HELD)[0]) for note in old.notes if _HELD in note}
    packages = {package.name: package for package in old.packages}
    found = {name for name in held if name in packages}
    edge = list(found)
    while edge:
        new = {name for name in packages[edge.pop()].dependencies if name in packages and not packages[name].direct}
        edge += new - found
        found |= new
    return found | {Name("python")} if any(name in found for name in TENSORFLOWS) else found


def with_reasons(answer: Lock, old: Lock | None, kept: Mapping[Name, Version]) -> Lock:
    """The new lock with the reasons for what an old lock holds.

    A search that keeps a pin does not find what held it back, so the old lock's reasons are repeated if the machine is
    the same, since the machine is what holds a release back. A pin that nothing but the old lock holds says so.

    Args:
        answer: the new lock.
        old: the lock that was there.
        kept: versions that it was asked to keep.
    """
    if old is None:
        return answer
    answer = _repeated(answer, old) if old.request.target == answer.request.target else answer
    known = {(each.name, each.before) for each in _still(old, answer)}
    held = tuple(
        replace(each, because=f"your existing lock holds it; `tfenv lock --upgrade {each.name}` frees it")
        if not each.because and (each.name, each.before) not in known and _is_of(kept, answer, each.name)
        else each
        for each in answer.held
    )
    noted = {note.partition(_HELD)[0] for note in answer.notes}
    notes = [
        f"{each.name}{_HELD}{package.version}: {each.because}"
        for each in held
        if each.name in TENSORFLOWS
        and each.name not in noted
        and each.because.startswith("your existing lock")
        and (package := answer.package(each.name)) is not None
    ]
    return replace(answer, held=held, notes=(*notes, *answer.notes))


def _is_of(kept: Mapping[Name, Version], answer: Lock, name: Name) -> bool:
    package = answer.package(name)
    return package is not None and kept.get(name) == package.version


def _repeated(answer: Lock, old: Lock) -> Lock:
    notes = {note.partition(_HELD)[0]: note for note in answer.notes}
    for note in old.notes:
        name, _, rest = note.partition(_HELD)
        kept = answer.package(normalize(name))
        if kept is not None and rest.startswith(f"{kept.version}: "):
            notes.setdefault(name, note)
    before = {each.name: each for each in _still(old, answer) if each.because and _is_kept(old, answer, each.name)}
    held = tuple(
        before[each.name]
        if not each.because and each.name in before and each.before == before[each.name].before
        else each
        for each in answer.held
    )
    return replace(answer, held=held, notes=tuple(notes[name] for name in sorted(notes)))


def _still(old: Lock, answer: Lock) -> list[HeldBack]:
    """What held pins of the old lock back, and still does: the machine, or a wish that the request still has."""
    if old.request.target != answer.request.target:
        return []
    wishes = (*old.request.requirements, *old.request.constraints)
    gone = {wish.name for wish in wishes} - {
        wish.name for wish in (*answer.request.requirements, *answer.request.constraints) if wish in wishes
    }
    gone |= set(TENSORFLOWS) if old.request.tensorflow != answer.request.tensorflow else set()
    return [each for each in old.held if each.name not in gone]


def _is_kept(old: Lock, answer: Lock, name: Name) -> bool:
    was, now = old.package(name), answer.package(name)
    return was is not None and now is not None and was.version == now.version


def _asks(goal: Goal) -> dict[str, str]:
    """The parts of a goal that a word describes."""
    target = goal.target
    return {
        "TensorFlow": str(goal.tensorflow) or "any",
        "Python": str(target.python or "any"),
        "platform": str(target.platform),
        "GPU": ", ".join(gpu.name for gpu in target.gpus) or str(target.accelerator),
        "CUDA": str(target.cuda_major or "any"),
        "ROCm": str(target.rocm or "any"),
        "driver": str(target.driver or "unknown"),
        "glibc": str(target.glibc or "that of the image"),
        "exclude-newer": str(goal.exclude_newer or "never"),
    }
