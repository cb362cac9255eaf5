"""One trial: lock, environment, smoke ladder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from tfenv.errors import TfenvError
from tfenv.model.goal import Goal
from tfenv.model.report import Outcome
from tfenv.model.target import Target
from tfenv.smoke import exchange
from tfenv.smoke.level_computed import judge_matmul, judge_training
from tfenv.smoke.level_imported import judge_import
from tfenv.store.cache import Cache
from tfenv.venv import interpreters
from tfenv.venv.sync import sync
from tfenv.workflow.lock.solve import solve
from tfenv.workflow.smoke import smoke
from tools.ledger import Trial
from tools.matrix.cells import distribution

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tools.matrix.cells import Cell

SECONDS = 1500
_OLDEST_OF_UV = (3, 8)


def by_tfenv(cell: Cell, database: Database) -> Trial:
    """The lock that tfenv makes for this release and Python, installed by hash and judged."""
    request = Goal(tensorflow=SpecifierSet(f"=={cell.release}"), target=replace(Target(), python=cell.python))
    try:
        answer = solve(request, database=database)
        with tempfile.TemporaryDirectory(prefix="tfenv-matrix-") as folder:
            # a hundred of them, kept, would fill the disk
            cache = Cache(Path(folder) / "cache")
            sync(answer, Path(folder) / "venv", cache=cache)
            report = smoke(answer, venv=Path(folder) / "venv", cache=cache)
    except TfenvError as error:
        return _trial(cell, "tfenv", f"{error.code}: {error.message}")
    for level in report.levels:
        if level.outcome is Outcome.FAILED:
            return _trial(
                cell, "tfenv", f"L{level.number}: {' '.join(level.findings) or level.detail}", len(answer.packages)
            )
    return _trial(cell, "tfenv", "passed", len(answer.packages))


def by_plain(cell: Cell, database: Database) -> Trial:
    """What `uv pip install` (pip, for Pythons that uv does not serve) makes of the same request, run the same way."""
    try:
        python = interpreters.find(cell.python)
    except TfenvError as error:
        return _trial(cell, "plain", f"{error.code}: {error.message}")
    wanted = f"{distribution(database, cell)}=={cell.release}"
    folder = Path(tempfile.mkdtemp(prefix="tfenv-plain-"))
    try:
        venv = folder / "venv"
        inside = venv / "bin" / "python"
        if cell.python.release[:2] >= _OLDEST_OF_UV:
            _run("uv", "venv", "--quiet", "--no-config", "--python", str(python), str(venv))
            _run("uv", "pip", "install", "--quiet", "--no-config", "--python", str(inside), wanted)
        else:
            # whatever the machine has set up for pip is no part of what a plain resolver answers
            pip = (str(inside), "-m", "pip", "--isolated", "install", "--quiet", "--no-cache-dir")
            _run(str(python), "-m", "venv", str(venv))
            _run(*pip, "--upgrade", "pip", "setuptools", "wheel")
            _run(*pip, wanted)
        options = json.dumps({"device": "cpu", "distributions": [], "levels": [0, 1, 4, 5], "seconds": 300})
        output = _run(str(inside), "-I", "-c", exchange.BOOTSTRAP, options, text=exchange.source())
        found = exchange.read(output)
    except subprocess.SubprocessError as error:
        said = (error.stderr or "").strip() if isinstance(error, subprocess.CalledProcessError) else ""
        return _trial(cell, "plain", f"install: {said.splitlines()[-1] if said else error}")
    except ValueError as error:
        return _trial(cell, "plain", f"L1: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _trial(cell, "plain", _verdict(found), len(found["installed"]["distributions"]))


def _verdict(found: exchange.Document) -> str:
    """The judge's word on what needs no lock: the import, the arithmetic, the training."""
    levels = [judge_import(found, (), "import")]
    if levels[0].outcome is not Outcome.FAILED:
        levels += [judge_matmul(found, "matmul", gpu_wanted=False), judge_training(found, "fit", gpu_wanted=False)]
    return next((f"L{each.number}: {each.detail}" for each in levels if each.outcome is Outcome.FAILED), "passed")


def _run(*command: str, text: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, timeout=SECONDS, env=environment
    )
    return done.stdout


def _trial(cell: Cell, by: str, outcome: str, packages: int = 0) -> Trial:
    line = " ".join(outcome.split())
    return Trial(
        tensorflow=cell.release,
        python=cell.python,
        by=by,
        date=datetime.now(UTC).date().isoformat(),
        outcome=line if len(line) <= 240 else f"{line[:239]}…",
        packages=packages,
    )
