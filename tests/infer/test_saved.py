"""The models of this folder, loaded by the release that `infer` chooses for them: what came of it, and once more."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infer.surroundings import DATABASE
from tests.support.commands import runner
from tfenv.workflow.infer import infer_with

if TYPE_CHECKING:
    from tfenv.model.inferred import Inferred

import tomllib

FOLDER = Path(__file__).with_name("models")
TRIED = tomllib.loads((FOLDER / "tried.toml").read_text(encoding="utf-8"))
RELEASES = sorted(TRIED, key=lambda name: [*map(int, name.split("."))])


def _answer(release: str) -> Inferred:
    return infer_with([FOLDER / release], DATABASE)


@pytest.mark.parametrize("release", RELEASES)
def test_what_was_tried(release: str) -> None:
    """Every file was loaded, and gave what it should, by the newest release that was chosen for it."""
    tried = dict(TRIED[release])
    chosen = tried.pop("by")
    assert chosen in _answer(release).releases
    assert set(tried.values()) == {"loaded"}
    there = {path.name for path in (FOLDER / release).iterdir()}
    assert set(tried) <= there
    assert len(tried) == sum(not name.endswith((".index", "-of-00001")) or name == "objects.index" for name in there)


def test_five_releases_were_tried() -> None:
    """The folders are those of the file."""
    assert set(TRIED) == {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0].isdigit()}
    assert len(TRIED) >= 5


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.interpreters
def test_one_of_them_once_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One a day: `infer` chooses, `lock --infer` locks, `sync` installs, and every file is loaded."""
    release = RELEASES[datetime.now(UTC).date().toordinal() % len(RELEASES)]
    tfenv = runner(capsys)
    ran = tfenv("lock", "--infer", FOLDER / release, "--gpu", "none", "-o", tmp_path)
    assert ran.code == 0, ran.err
    ran = tfenv("sync", "--lock", tmp_path / "pylock.toml", "--venv", tmp_path / "venv")
    assert ran.code == 0, ran.err
    python = tmp_path / "venv" / "bin" / "python"
    ran_by = subprocess.run(
        [str(python), str(FOLDER / "load.py"), str(FOLDER / release)], capture_output=True, text=True, check=True
    )
    told = json.loads(ran_by.stdout[ran_by.stdout.rindex("{") :])
    assert set(told.values()) == {"loaded"}, told
