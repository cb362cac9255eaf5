"""A lock that is there already: what of it is kept, and whether it still answers the request."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, TfenvError, UsageError
from tfenv.model.package import TENSORFLOW, TENSORFLOWS, Name, normalize
from tfenv.outputs.request import inputs_digest
from tfenv.store import files
from tfenv.workflow.remembered import program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from packaging.version import Version

    from tfenv.model.goal import Goal
    from tfenv.model.lock import Lock
    from tfenv.store.cache import Cache

ALL = ""
"""`--upgrade` without a name"""

_HELD = " held at "
"""stands in a note between the name and the version, see `tfenv.resolver`"""


def existing(path: Path, told: Callable[[UsageError], None] = lambda _: None) -> Lock | None:
    """The lock in a file; ``None`` if there is none, or none of tfenv's that can be read.

    Args:
        path: of the file.
        told: hears what is wrong with one that cannot be read.
    """
    if not path.exists():
        return None
    from tfenv.outputs import pylock

    try:
        return pylock.loads(files.read(path), str(path))
    except UsageError as error:
        told(error)
        return None


def keep(text: str, request: Goal, cache: Cache) -> None:
    """Remember that this program wrote a lock, to the letter, and for which request."""
    cache.keep_document(_written(text), {"inputs": inputs_digest(request)})


def is_kept(path: Path, request: Goal, cache: Cache) -> bool:
    """Is a lock, to the letter, what this program wrote for this very request? Then it need not be read again."""
    try:
        known = cache.document(_written(files.read(path)))
    except UsageError:
        return False
    return known == {"inputs": inputs_digest(request)}


def _written(text: str) -> str:
    return f"written {' '.join(program())} {hashlib.sha256(text.encode()).hexdigest()}"


def outdated(old: Lock | None, request: Goal) -> str | None:
    """Why a lock is not what a request asks for; ``None`` if it is."""
    if old is None:
        return "is not there, or is no lock of tfenv"
    if old.inputs == inputs_digest(request):
        return None
    before, now = _asks(old.request), _asks(request)
    changed = [f"{key} was {before[key]}, now {now[key]}" for key in now if before[key] != now[key]]
    return "was made for another request: " + ("; ".join(changed) or "its requirements have changed")


def preferences(old: Lock | None, upgrade: Iterable[str] | None) -> dict[Name, Version]:
    """The versions to keep: those of the old lock, less what is to be upgraded; Python among them."""
    names = set(upgrade or ())
    if old is None or ALL in names:
        return {}
    kept = {package.name: package.version for package in old.packages}
    # what is asked for is `tensorflow`, whichever distribution answers
    answered = next((kept[one] for one in TENSORFLOWS if one in kept), None)
    if answered is not None:
        kept[TENSORFLOW] = answered
    if old.target.python is not None:
        kept[Name("python")] = old.target.python
    for name in map(normalize, names):
        for one in TENSORFLOWS if name in TENSORFLOWS else (name,):
            kept.pop(one, None)
    return kept


def with_notes(answer: Lock, old: Lock | None) -> Lock:
    """The new lock, with what the old one says of pins that it kept: a release that is kept is not found to be held.

    Only for the same machine, since that is what holds a release back.
    """
    if old is None or old.request.target != answer.request.target:
        return answer
    notes = {note.partition(_HELD)[0]: note for note in answer.notes}
    for note in old.notes:
        name, _, rest = note.partition(_HELD)
        kept = answer.package(normalize(name))
        if kept is not None and rest.startswith(f"{kept.version}: "):
            notes.setdefault(name, note)
    before = {each.name: each for each in old.held if each.because and _is_kept(old, answer, each.name)}
    held = tuple(
        before[each.name]
        if not each.because and each.name in before and each.before == before[each.name].before
        else each
        for each in answer.held
    )
    return replace(answer, held=held, notes=tuple(notes[name] for name in sorted(notes)))


def _is_kept(old: Lock, answer: Lock, name: Name) -> bool:
    was, now = old.package(name), answer.package(name)
    return was is not None and now is not None and was.version == now.version


def base_digest(
    old: Lock | None, upgrade: Iterable[str] | None, *, offline: bool, told: Callable[[TfenvError], None]
) -> Callable[[str], str]:
    """What gives the digest of an image: the old lock for the image it names, else the registry.

    Args:
        old: the lock that is there.
        upgrade: what shall not be kept of it.
        offline: ask no registry.
        told: hears why there is no digest.
    """
    before = None if old is None else old.base_image
    known = {before.reference: before.digest} if before is not None and before.digest is not None else {}
    kept = {} if ALL in set(upgrade or ()) and not offline else known

    def ask(reference: str) -> str:
        if reference in kept:
            return kept[reference]
        try:
            if offline:
                raise IndexUnavailable("no registry is asked when offline")
            from tfenv.image.registry import digest

            return digest(reference)
        except TfenvError as error:
            if reference in known:
                return known[reference]
            told(error)
            raise

    return ask


def _asks(request: Goal) -> dict[str, str]:
    """What can be told in a word."""
    target = request.target
    return {
        "TensorFlow": str(request.tensorflow) or "any",
        "Python": str(target.python or "any"),
        "platform": str(target.platform),
        "GPU": ", ".join(gpu.name for gpu in target.gpus) or str(target.accelerator),
        "CUDA": str(target.cuda_major or "any"),
        "ROCm": str(target.rocm or "any"),
        "driver": str(target.driver or "unknown"),
        "glibc": str(target.glibc or "that of the image"),
        "exclude-newer": str(request.exclude_newer or "never"),
    }
