"""Files as people have them, read by `tfenv check`: one table of cases."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import runner

if TYPE_CHECKING:
    from tests.support.commands import Tfenv

CASES = tomllib.loads(Path(__file__).with_name("files.toml").read_text(encoding="utf-8"))["case"]


@pytest.fixture
def tfenv(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tfenv:
    """Runs a command in an empty folder, with an empty cache."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    return runner(capsys)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"].partition(",")[0].replace(" ", "_"))
def test_what_check_reads(case: dict[str, Any], tfenv: Tfenv) -> None:
    """The verdict and the first problems are those that the file deserves; a file at fault is named."""
    for name, text in case["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    ran = tfenv("check", next(iter(case["files"])), "--offline", "--json", *case.get("options", ()))
    answer = json.loads(ran.out)
    if "exit" in case:
        assert ran.code == case["exit"]
        assert case["error"] in answer["error"]["message"]
        return
    assert answer["verdict"] == case["verdict"], answer
    assert set(case["codes"]) <= {problem["code"] for problem in answer["problems"]}, answer
