"""An environment is proven: the probe runs inside it, the judge compares its answer with the lock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import EngineError, SmokeFailed
from tfenv.model.target import Accelerator
from tfenv.smoke import document
from tfenv.smoke.judge import judge
from tfenv.smoke.run import WHOLE_CLIMB, interpreter, probe, wheel_contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.image.engine import Engine
    from tfenv.model.lock import Lock
    from tfenv.model.report import Report
    from tfenv.store.cache import Cache

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
            timeout=WHOLE_CLIMB,
        )
    return _judge(lock, ran.stdout, ran.stderr, f"image {image}", cache)


def _prove(lock: Lock, python: Path, subject: str, cache: Cache | None) -> Report:
    return _judge(lock, *probe(python, document.options(lock)), subject, cache)


def _judge(lock: Lock, output: str, errors: str, subject: str, cache: Cache | None) -> Report:
    try:
        found = document.read(output)
    except ValueError as error:
        told = " ".join(errors.split())[-300:]
        raise SmokeFailed(f"{subject}: {error}{f'; and: {told}' if told else ''}") from error
    return judge(lock, found, subject=subject, contents=wheel_contents(lock, cache))
