"""Public reports with the cause and the repair that their threads found, asked in every way that a report allows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.commands import Tfenv

pytestmark = pytest.mark.ci

CASES = [json.loads(line) for line in Path(__file__).with_name("public_reports.jsonl").read_text("utf-8").splitlines()]

MISSED_CAUSE = {
    "n002 config": "the image is not part of the configuration",
    "n013 log": "the log holds an unspecific CUDA error",
    "n021 log": "the log holds an unspecific cuDNN error",
    "n028 log": "pip says the same of a Python that is too new",
    "n057 config": "the code that was run is not part of the configuration",
    "n068 config": "the code that was run is not part of the configuration",
    "n074 config": "the Visual C++ redistributable is not part of the configuration",
    "b13 config": "what keras-nightly does beside an older TensorFlow is not known",
    "b17 docker": "that tensorflow-text brings a second TensorFlow is not followed",
    "m043 log": "pip says the same of a Python and of a platform without wheels",
    "m040 config": "whether classes for TensorFlow are used is not part of the configuration",
}
"""Causes that are not found; one that is found must leave the list."""

MISSED_FIX = {
    *MISSED_CAUSE,
    "n024 log",
    "n048 config",
    "n048 both",
    "n076 config",
    "b04 log",
    "m020 log",
    "m028 log",
    "m036 config",
}
"""First fixes that are not those of the thread."""

SAID_TO_WORK: set[str] = set()
"""Broken combinations that are called working: the worst kind of miss."""


def _ways() -> Iterator[Any]:
    for case in CASES:
        for way in ("config", "log", "both", "docker"):
            config = case["config"]
            has_config = case.get("json", True) and any(config.get(key) for key in ("tf", "packages"))
            needs = {"config": has_config, "log": case["reported"], "both": case["reported"], "docker": case["docker"]}
            if needs[way]:
                yield pytest.param(case, way, id=f"{case['id']} {way}")


@pytest.fixture
def tfenv(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tfenv:
    """Runs a command in an empty folder, with an empty cache and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    return runner(capsys)


@pytest.mark.parametrize(("case", "way"), list(_ways()))
def test_cause_and_first_fix(case: dict[str, Any], way: str, tfenv: Tfenv) -> None:
    """The cause is among the problems, the first fix is that of the thread, and nothing broken is called working."""
    config = {key: value for key, value in case["config"].items() if value}
    Path("config.json").write_text(json.dumps(config), encoding="utf-8")
    Path("error.log").write_text(f"{case['reported']}\n", encoding="utf-8")
    Path("Dockerfile").write_text(case["docker"] or "", encoding="utf-8")
    machine = [word for key in ("gpu", "driver") if config.get(key) for word in (f"--{key}", config[key])]
    options = {
        "config": ["--from", "config.json"],
        "log": ["--log", "error.log"],
        "both": ["--from", "config.json", "--log", "error.log"],
        "docker": ["Dockerfile", *machine],
    }[way]
    answer = json.loads(tfenv("check", "--json", "--offline", *options).out)
    if case["verdict"] == "works":
        assert answer["verdict"] == "works"
        return
    codes = {problem["code"] for problem in answer["problems"]}
    found = bool(codes) if case["accept"] == ["*"] else bool(codes & set(case["accept"]))
    first = answer["problems"][0]["fixes"][:1] if answer["problems"] else []
    fix = " ".join(f"{each['command']} {json.dumps(each['change'])}" for each in first)
    name = f"{case['id']} {way}"
    assert (name in SAID_TO_WORK) is (answer["verdict"] == "works")
    assert (name in MISSED_CAUSE) is not found, (codes, answer["unknown"])
    assert (name in MISSED_FIX) is (re.search(case["fix_re"] or "", fix) is None), fix
