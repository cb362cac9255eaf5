"""A lock that is there already: what of it is kept, and whether it still answers the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.errors import TfenvError, UsageError
from tfenv.model.package import Name, normalize
from tfenv.outputs import pylock
from tfenv.outputs.request import inputs_digest
from tfenv.workflow import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from packaging.version import Version

    from tfenv.model.lock import Lock
    from tfenv.model.request import Request

ALL = ""
"""`--upgrade` without a name"""


def existing(path: Path) -> Lock | None:
    """The lock in a file; ``None`` if there is none, or none of tfenv's that can be read."""
    if not path.exists():
        return None
    try:
        return pylock.loads(files.read(path), str(path))
    except UsageError:
        return None


def outdated(old: Lock | None, request: Request) -> str | None:
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
    names = None if upgrade is None else set(upgrade)
    if old is None or (names is not None and ALL in names):
        return {}
    kept = {package.name: package.version for package in old.packages}
    if old.target.python is not None:
        kept[Name("python")] = old.target.python
    for name in names or ():
        kept.pop(normalize(name), None)
    return kept


def base_digest(old: Lock | None) -> Callable[[str], str]:
    """Asks the registry for an image's digest; where it cannot be asked, the old lock's word counts."""
    before = old.base_image if old is not None else None

    def ask(reference: str) -> str:
        from tfenv.image.registry import digest

        try:
            return digest(reference)
        except TfenvError:
            if before is not None and before.digest is not None and before.reference == reference:
                return before.digest
            raise

    return ask


def _asks(request: Request) -> dict[str, str]:
    """What can be told in a word."""
    target = request.target
    return {
        "TensorFlow": str(request.tensorflow) or "any",
        "Python": str(target.python or "any"),
        "platform": str(target.platform),
        "GPU": ", ".join(gpu.name for gpu in target.gpus) or str(target.accelerator),
        "CUDA": str(target.cuda_major or "any"),
        "driver": str(target.driver or "unknown"),
        "glibc": str(target.glibc or "that of the image"),
        "exclude-newer": str(request.exclude_newer or "never"),
    }
