"""Old facts are mentioned once a day, on a terminal only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest

from tfenv.cli._reminder import note
from tfenv.facts import location
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="old")
def _old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Facts of the user that are years old."""
    monkeypatch.setenv("TFENV_DATA_DIR", str(tmp_path / "data"))
    root = tmp_path / "data" / "facts-old"
    for part in location.PARTS:
        shutil.copytree(location.shipped() / part, root / part)
    (root / "facts" / location.DATE).write_text("2020-01-31\n", encoding="utf-8")
    location.pointer_file().write_text(location.pointer(root, location.shipped()), encoding="utf-8")
    return root


def test_once_a_day(old: Path, tmp_path: Path) -> None:
    """The age and what to do, the first time of each day."""
    assert old.is_dir()
    cache = Cache(tmp_path / "cache")
    assert note(cache, date(2020, 5, 30)) is None
    line = note(cache, date(2020, 5, 31))
    assert line == "note: the facts are 121 days old, of 2020-01-31; `tfenv facts update --user` reads newer ones"
    assert note(cache, date(2020, 5, 31)) is None
    assert note(cache, date(2020, 6, 1)) is not None


def test_facts_of_another_tfenv(old: Path, tmp_path: Path) -> None:
    """Facts that do not count any more are named."""
    pointer = location.pointer_file()
    text = pointer.read_text(encoding="utf-8")
    pointer.write_text(text.replace(location.identity(location.shipped()), "0" * 12), encoding="utf-8")
    line = note(Cache(tmp_path / "cache"), date(2020, 2, 1))
    assert line is not None
    assert f"`{old}` were written by another tfenv" in line


def test_a_cache_that_cannot_be_written(old: Path, tmp_path: Path) -> None:
    """The note is repeated, and nothing fails."""
    assert old.is_dir()
    (tmp_path / "cache").write_text("not a folder", encoding="utf-8")
    cache = Cache(tmp_path / "cache")
    assert note(cache, date(2021, 1, 1)) == note(cache, date(2021, 1, 1)) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are made otherwise there")
@pytest.mark.parametrize(
    ("arguments", "heard"), [(["compat", "2.15"], True), (["compat", "2.15", "--json"], False), (["--version"], False)]
)
def test_on_a_terminal(old: Path, tmp_path: Path, arguments: list[str], heard: bool) -> None:
    """A person reads it; a script, `--json` and other commands do not."""
    import pty

    assert old.is_dir()
    environment = {**os.environ, "TFENV_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "tfenv", *arguments]
    piped = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "note: the facts" not in piped.stderr
    ours, theirs = pty.openpty()
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    try:
        seen = os.read(ours, 10_000).decode()
    except OSError:  # nothing was written
        seen = ""
    os.close(ours)
    assert ("note: the facts are" in seen) == heard
    assert b"note: the facts" not in ran.stdout
