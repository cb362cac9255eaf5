"""An environment is proven: the probe runs inside it, the judge compares its answer with the lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import EngineError, SmokeFailed, UsageError
from tfenv.model.target import Accelerator
from tfenv.smoke import document
from tfenv.smoke.judge import judge
from tfenv.smoke.wheel import contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.image.engine import Engine
    from tfenv.index.cache import Cache
    from tfenv.model.lock import Lock
    from tfenv.model.report import Report

_WHOLE_CLIMB = 3600
"""seconds; each step has its own limit, this is for a machine that stops altogether"""

_PLACE = "/tfenv-probe.py"


def smoke_venv(lock: Lock, directory: Path, *, cache: Cache | None = None) -> Report:
    """Prove a virtual environment.

    Args:
        lock: what it should hold.
        directory: of the environment.
        cache: where the locked wheels may lie; those that do are compared with what is installed.

    Raises:
        UsageError: there is no environment.
        SmokeFailed: its interpreter gives no answer at all.
    """
    return _prove(lock, interpreter(directory), f"venv {directory}", cache)


def smoke_here(lock: Lock, *, cache: Cache | None = None) -> Report:
    """Prove the environment of the interpreter that runs this.

    Raises:
        SmokeFailed: it gives no answer at all.
    """
    return _prove(lock, Path(sys.executable), f"Python {sys.executable}", cache)


def smoke_image(
    lock: Lock, image: str, *, connect: Callable[[], Engine] | None = None, cache: Cache | None = None
) -> Report:
    """Prove an image, in a container without network and, where the engine can give it any, with all GPUs.

    Args:
        lock: what it should hold.
        image: reference or id.
        connect: to the engine; the usual one if not given.
        cache: where the locked wheels may lie.

    Raises:
        EngineError: no engine, no such image, or no Python in it.
        SmokeFailed: its interpreter gives no answer at all.
    """
    if connect is None:
        from tfenv.image.engine import Engine

        connect = Engine.connect
    with connect() as engine:
        if engine.image(image) is None:
            raise EngineError(f"the engine has no image `{image}`", hint="`tfenv build` makes one from the lock")
        gpus = lock.target.accelerator is Accelerator.CUDA and engine.gpus() is not None
        # a file and not standard input: the engine's API gives a container no end of input
        ran = engine.run(
            image,
            ["python", "-I", _PLACE, document.options(lock)],
            files={_PLACE: document.source().encode()},
            gpus=gpus,
            timeout=_WHOLE_CLIMB,
        )
    return _judge(lock, ran.stdout, ran.stderr, f"image {image}", cache)


def interpreter(directory: Path) -> Path:
    """The Python of a virtual environment.

    Raises:
        UsageError: there is none.
    """
    for name in ("bin/python", "Scripts/python.exe"):
        path = directory / name
        if path.exists():
            # not resolved: the link is what makes it the environment's
            return Path(os.path.abspath(path))  # noqa: PTH100
    raise UsageError(f"`{directory}` is no virtual environment", hint=f"`tfenv sync --venv {directory}` makes one")


def probe(python: Path, options: str) -> tuple[str, str]:
    """Run the probe with an interpreter of this host; returns what it printed on standard output and error.

    Raises:
        UsageError: the interpreter cannot be run.
        SmokeFailed: it stopped altogether.
    """
    try:
        ran = subprocess.run(
            [str(python), "-I", "-c", document.BOOTSTRAP, options],
            input=document.source(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_WHOLE_CLIMB,
        )
    except OSError as error:
        raise UsageError(f"`{python}` cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise SmokeFailed(f"`{python}` gave no answer in {_WHOLE_CLIMB} s") from error
    return ran.stdout, ran.stderr


def wheel_contents(lock: Lock, cache: Cache | None) -> dict[str, str]:
    """For each locked wheel that lies in the cache, the digest of its RECORD."""
    if cache is None:
        from tfenv.index.cache import Cache

        cache = Cache()
    found = {
        package.name: contents(cache.file(package.file.sha256 or "", package.file.filename))
        for package in lock.packages
        if package.file.is_wheel
    }
    return {name: digest for name, digest in found.items() if digest is not None}


def _prove(lock: Lock, python: Path, subject: str, cache: Cache | None) -> Report:
    return _judge(lock, *probe(python, document.options(lock)), subject, cache)


def _judge(lock: Lock, output: str, errors: str, subject: str, cache: Cache | None) -> Report:
    try:
        found = document.read(output)
    except ValueError as error:
        told = " ".join(errors.split())[-300:]
        raise SmokeFailed(f"{subject}: {error}{f'; and: {told}' if told else ''}") from error
    return judge(lock, found, subject=subject, contents=wheel_contents(lock, cache))
