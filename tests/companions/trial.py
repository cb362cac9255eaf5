"""One trial: lock, environment, and a real use of each companion in it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet

from tests.companions.pairs import Pair
from tests.companions.stacks import calls
from tfenv.errors import TfenvError
from tfenv.index.cache import Cache
from tfenv.model.package import Requirement
from tfenv.model.request import Request
from tfenv.model.target import Target
from tfenv.workflow.lock import lock
from tfenv.workflow.smoke import interpreter
from tfenv.workflow.sync import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.companions.stacks import Call, Stack
    from tfenv.facts.database import Database
    from tfenv.model.lock import Lock

SECONDS = 900
_HEAVY = 20 * 2**20
"""bytes of a wheel from which on it does not stay in the cache"""

_PRELUDE = """\
import tensorflow as tf
def value(tensor):
    if tf.executing_eagerly():
        return tensor.numpy()
    with tf.compat.v1.Session() as session:
        session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
        return session.run(tensor)
"""


def attempt(stack: Stack, database: Database, *, keep: Path | None = None) -> Iterator[Pair]:
    """The lock that tfenv makes, installed by hash; one pair for each companion, as it was tried.

    Args:
        stack: what is tried.
        database: the facts.
        keep: leave the environment here.

    Raises:
        TfenvError: there is no lock, or it cannot be installed.
    """
    cache = Cache()
    answer = lock(request(stack), database=database, cache=cache)
    with tempfile.TemporaryDirectory(prefix="tfenv-companions-") as folder:
        venv = keep or Path(folder) / "venv"
        try:
            sync(answer, venv, cache=cache)
        finally:
            _forget(answer, cache)
        for name in stack.companions:
            call = calls()[name]
            with tempfile.TemporaryDirectory(prefix="use-", dir=folder) as room:
                outcome = use(call, interpreter(venv), Path(room))
            package = answer.package(name)
            if package is None:
                raise TfenvError(f"{name} is asked for and not locked")
            yield Pair(
                tensorflow=answer.tensorflow.version,
                package=name,
                version=package.version,
                python=stack.python,
                keras=stack.keras,
                date=datetime.now(timezone.utc).date().isoformat(),
                does=call.says,
                outcome=outcome,
            )


def request(stack: Stack) -> Request:
    """What `tfenv lock --tf … --python … --with …` asks for."""
    return Request(
        tensorflow=SpecifierSet(f"=={stack.tensorflow}.*"),
        target=replace(Target(), python=stack.python),
        requirements=tuple(
            Requirement.of(PackagingRequirement(text), source=f"--with {text}") for text in stack.requires
        ),
        keras=stack.keras,
    )


def use(call: Call, python: Path, folder: Path) -> str:
    """`passed`, or the last line of what went wrong."""
    script = folder / "use.py"
    script.write_text(_PRELUDE + call.code, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    try:
        # like a person: not isolated, in an empty folder
        done = subprocess.run(
            [str(python), script.name],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no end in {SECONDS} s"
    if done.returncode == 0:
        return "passed"
    said = [line for line in done.stderr.splitlines() if line.strip()]
    line = " ".join((said[-1] if said else f"exit code {done.returncode}").split())
    return line if len(line) <= 240 else f"{line[:239]}…"


def _forget(answer: Lock, cache: Cache) -> None:
    """A dozen TensorFlows would fill the disk."""
    for package in answer.packages:
        if (package.file.size or 0) >= _HEAVY:
            cache.file(package.file.sha256 or "", package.file.filename).unlink(missing_ok=True)
