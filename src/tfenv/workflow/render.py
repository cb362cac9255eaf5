"""`tfenv render`: the files made from a lock; only the lock is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tfenv.errors import UsageError
from tfenv.model.lock import Lock
from tfenv.outputs import conda, dockerfile, pylock, requirements
from tfenv.outputs.names import file_name
from tfenv.store import files


def outputs(
    lock: Lock, *, text: str | None = None, target: str | None = None, with_requirements: bool = False
) -> dict[str, str]:
    """Every file made from a lock, by name: the conda environment, the Dockerfile where there are images (Linux).

    Args:
        lock: lock to make the files from.
        text: that of the lock's own file, where it is at hand: the Dockerfile carries its digest.
        target: its name, which becomes part of theirs.
        with_requirements: a requirements file too.

    Raises:
        UsageError: the name of the target is not valid in a filename, or a value of the lock not in a Dockerfile.
    """
    texts = {file_name("environment", "yml", target): conda.dumps(lock)}
    if lock.target.platform.is_linux and lock.base_image is not None:
        texts[file_name("Dockerfile", "", target)] = dockerfile.dumps(
            lock, digest=None if text is None else hashlib.sha256(text.encode()).hexdigest()
        )
    if with_requirements:
        texts[file_name("requirements", "txt", target)] = requirements.dumps(lock)
    return texts


def read_lock(lock: Lock | Path | str) -> Lock:
    """The lock, read from a file if a path is given.

    Raises:
        UsageError: the file does not exist, or has faults (all are listed with their dotted paths).
    """
    if isinstance(lock, Lock):
        return lock
    path = Path(lock)
    if not path.exists():
        raise UsageError(f"there is no lock `{path}`", hint="make one with `tfenv lock`")
    return pylock.loads(files.read(path), str(path))


def render(
    lock: Lock | Path | str = "pylock.toml",
    directory: Path | str | None = None,
    *,
    target: str | None = None,
    requirements_txt: bool = False,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write the files made from a lock again; nothing but the lock is read.

    Example:
        >>> [path.name for path in tfenv.render("pylock.toml")]
        ['environment.yml', 'Dockerfile']

    Args:
        lock: a lock, or the file that holds it.
        directory: to write to; by default the folder of the lock file, or the working directory.
        target: name of the target, which becomes part of the files' names.
        requirements_txt: write a requirements file too.
        force: overwrite files that tfenv did not write.

    Returns:
        The files, in the order of writing.

    Raises:
        UsageError: the lock has faults, or a file of someone else is in the way.
        HostError: a file cannot be written.
    """
    folder = Path(directory) if directory is not None else Path() if isinstance(lock, Lock) else Path(lock).parent
    texts = outputs(read_lock(lock), target=target, with_requirements=requirements_txt)
    return files.write({folder / name: text for name, text in texts.items()}, force=force)
