"""`tfenv cache` as a user sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Tfenv


def test_info_and_prune(tfenv: Tfenv, tmp_path: Path) -> None:
    """What is shown is what `--all` removes."""
    (folder := tmp_path / "cache" / "v1" / "documents").mkdir(parents=True)
    (folder / "one").write_bytes(b"12345")
    shown = json.loads(tfenv("cache", "info", "--json").out)
    assert shown == {"directory": str(tmp_path / "cache"), "kinds": {"documents": {"files": 1, "bytes": 5}}}
    assert tfenv("cache", "prune").err == "nothing to remove\n"
    assert tfenv("cache", "prune", "--all").err == "removed 1 files, 0.0 MB\n"
    assert not list(folder.iterdir())


def test_two_ages(tfenv: Tfenv) -> None:
    """`--all` beside `--older-than` is wrong usage."""
    assert tfenv("cache", "prune", "--all", "--older-than", "3").code == 2


def test_a_cache_that_others_may_write_is_refused(tfenv: Tfenv, tmp_path: Path) -> None:
    """Exit 10 with the folder and a command that helps."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    ended = tfenv("cache", "info")
    assert ended.code == 10
    assert str(tmp_path / "cache") in ended.err
