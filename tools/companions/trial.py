"""One trial: lock, environment, and a real use of each companion in it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet

from tfenv.errors import TfenvError
from tfenv.model.goal import Goal
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Target
from tfenv.smoke.run import interpreter
from tfenv.store.cache import Cache
from tfenv.venv.sync import sync
from tfenv.workflow.lock.solve import solve
from tools.companions.stacks import calls
from tools.ledger import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.facts.database import Database
    from tools.companions.stacks import Call, Stack


_INSIDE = Path(__file__).parent / "inside.py"


def attempt(stack: Stack, database: Database, *, keep: Path | None = None) -> Iterator[Trial]:
    """The lock that tfenv makes, installed by hash; one trial for each companion.

    Args:
        stack: what is tried.
        database: the facts.
        keep: leave the environment here.

    Raises:
        TfenvError: there is no lock, or it cannot be installed.
    """
    answer = solve(request(stack), database=database)
    with tempfile.TemporaryDirectory(prefix="tfenv-companions-") as folder:
        venv = keep or Path(folder) / "venv"
        # a dozen TensorFlows, kept, would fill the disk
        sync(answer, venv, cache=Cache(Path(folder) / "cache"))
        uses = {name: calls()[name] for name in stack.companions}
        for name, outcome in use(uses, interpreter(venv), Path(folder) / "use"):
            package = answer.package(name)
            if package is None:
                raise TfenvError(f"{name} is asked for and not locked")
            yield Trial(
                tensorflow=answer.tensorflow.version,
                package=name,
                version=package.version,
                python=stack.python,
                keras=stack.keras,
                date=datetime.now(UTC).date().isoformat(),
                does=uses[name].says,
                outcome=outcome,
            )


def request(stack: Stack) -> Goal:
    """What `tfenv lock --tf … --python … --with …` asks for."""
    return Goal(
        tensorflow=SpecifierSet(f"=={stack.tensorflow}.*"),
        target=replace(Target(), python=stack.python),
        requirements=tuple(
            Requirement.of(PackagingRequirement(text), source=f"--with {text}") for text in stack.requires
        ),
        keras=stack.keras,
    )


def use(uses: Mapping[Name, Call], python: Path, folder: Path) -> Iterator[tuple[Name, str]]:
    """Each companion used by an interpreter: `passed`, or in one line what went wrong."""
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    # as in an environment that is active: the converter of 2.1 calls programs that lie there
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment.get('PATH', '')}"
    todo = {name: call.code for name, call in uses.items()}
    (folder / "uses.json").write_text(json.dumps(todo), encoding="utf-8")
    with (folder / "uses.json").open("rb") as said, (folder / "log").open("wb") as log:
        # not isolated, like a person's
        command = [str(python), str(_INSIDE), str(folder)]
        with subprocess.Popen(
            command, env=environment, stdin=said, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process:
            for line in process.stdout or ():
                ((text, outcome),) = json.loads(line).items()
                todo.pop(Name(text))
                yield Name(text), outcome
    told = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((" ".join(line.split()) for line in reversed(told) if line.strip()), "no answer")
    for name in todo:
        yield name, last[:240]
