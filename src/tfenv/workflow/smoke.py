"""`tfenv smoke`: the probe runs inside an environment, the judge compares its answer with the lock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import EngineError, SmokeFailed, UsageError
from tfenv.model.target import Accelerator
from tfenv.smoke import exchange
from tfenv.smoke.judge import judge
from tfenv.smoke.run import WHOLE_CLIMB, interpreter, probe, wheel_contents
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.image.engine import Engine
    from tfenv.model.lock import Lock
    from tfenv.model.report import Report
    from tfenv.store.cache import Cache

_PLACE = "/tfenv-probe.py"


def smoke(
    lock: Lock | Path | str = "pylock.toml",
    *,
    image: str | None = None,
    venv: Path | str | None = None,
    here: bool = False,
    cache: Cache | None = None,
    connect: Callable[[], Engine] | None = None,
) -> Report:
    """Test an image or an environment against its lock.

    The levels: what is installed, import, build, CUDA libraries, matrix products, training. A level that fails is in
    the report and raises nothing.

    Example:
        >>> report = tfenv.smoke("pylock.toml", here=True)
        >>> report.failed, report.levels[0].outcome.value
        (True, 'failed')

    Args:
        lock: lock that the environment should match, or its file.
        image: reference or id of an image; by default the one that `build` makes. It runs in a container without
            network and with all GPUs of the engine.
        venv: virtual environment to test instead.
        here: whether to test the environment of the running interpreter instead.
        cache: cache of wheels; installed packages are compared with the wheels in it.
        connect: opens a connection to the container engine.

    Raises:
        UsageError: more than one environment is named, it does not exist, or the lock has faults.
        EngineError: no container engine answers, the image does not exist, or it has no Python.
        SmokeFailed: the interpreter does not answer.
    """
    if sum((image is not None, venv is not None, here)) > 1:
        raise UsageError("an image, `--venv` and `--here` exclude each other", hint="test one after the other")
    lock = read_lock(lock)
    if venv is not None:
        return _judge(lock, *probe(interpreter(Path(venv)), exchange.options(lock)), f"venv {venv}", cache)
    if here:
        return _judge(lock, *probe(Path(sys.executable), exchange.options(lock)), f"Python {sys.executable}", cache)
    # the client of container engines: 101 modules that an environment does not need
    from tfenv.image.engine import Engine
    from tfenv.workflow.build import default_tag

    return _image(lock, image or default_tag(lock), connect or Engine.connect, cache)


def _image(lock: Lock, image: str, connect: Callable[[], Engine], cache: Cache | None) -> Report:
    with connect() as engine:
        if engine.image(image) is None:
            raise EngineError(f"the engine has no image `{image}`", hint="run `tfenv build` to make it from the lock")
        gpus = lock.target.accelerator is Accelerator.CUDA and engine.gpus() is not None
        # a file instead of standard input, because the engine's API cannot close a container's input
        ran = engine.run(
            image,
            ["python", "-I", _PLACE, exchange.options(lock)],
            files={_PLACE: exchange.source().encode()},
            gpus=gpus,
            timeout=WHOLE_CLIMB,
        )
    return _judge(lock, ran.stdout, ran.stderr, f"image {image}", cache)


def _judge(lock: Lock, output: str, errors: str, subject: str, cache: Cache | None) -> Report:
    try:
        found = exchange.read(output)
    except ValueError as error:
        last = " ".join(errors.split())[-300:]
        raise SmokeFailed(f"{subject}: {error}{f'; and: {last}' if last else ''}") from error
    return judge(lock, found, subject=subject, contents=wheel_contents(lock, cache))
