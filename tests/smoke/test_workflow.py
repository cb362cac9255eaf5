"""`tfenv smoke` and `tfenv sync` from the outside: a stand-in for TensorFlow, and an engine in memory."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.smoke.environments import lock_of as recorded_lock
from tests.smoke.environments import recorded
from tests.smoke.wheels import lock_of, wheel
from tests.support.commands import runner
from tfenv.cli.smoke import as_json, table
from tfenv.errors import EngineError, SmokeFailed, UsageError
from tfenv.image.engine import Engine, HeldImage, Run
from tfenv.model.report import Outcome
from tfenv.outputs import pylock
from tfenv.smoke import exchange
from tfenv.smoke.judge import judge
from tfenv.smoke.run import interpreter
from tfenv.store.cache import Cache
from tfenv.venv.sync import sync
from tfenv.workflow.smoke import smoke

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from tests.support.commands import Tfenv


@pytest.fixture
def tfenv(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tfenv:
    """Runs a command in an empty folder, with a cache of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    return runner(capsys)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_venv_is_proven(cache: Cache, tmp_path: Path) -> None:
    """What was synced passes level 0 against its wheels, and the import of a stand-in fails at level 1."""
    broken = {"tensorflow/__init__.py": "raise ImportError('only a stand-in')"}
    lock = lock_of(wheel(cache, "tensorflow_cpu", "2.21.0", broken), wheel(cache, "alpha", "1.0"))
    sync(lock, tmp_path / "venv", cache=cache, offline=True)
    report = smoke(lock, venv=tmp_path / "venv", cache=cache)
    # how many files depends on what the installer adds
    assert re.fullmatch(r"2 packages, \d+ files by hash, 2 against the locked wheel", report.levels[0].detail)
    assert (report.levels[1].outcome, report.levels[1].detail) == (
        Outcome.FAILED,
        "`import tensorflow` fails: ImportError: only a stand-in",
    )
    assert report.failed


def test_no_venv(tmp_path: Path, cache: Cache) -> None:
    """A folder without an interpreter is wrong usage; an interpreter that says nothing sensible has failed."""
    lock = lock_of(wheel(cache, "alpha", "1.0"))
    with pytest.raises(UsageError, match="is not a virtual environment"):
        smoke(lock, venv=tmp_path / "venv")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    python = tmp_path / "venv" / "bin" / "python"
    python.write_text("#!/bin/sh\necho hello; echo trouble >&2; exit 3\n", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be run"):
        smoke(lock, venv=tmp_path / "venv")
    python.chmod(0o755)
    with pytest.raises(SmokeFailed, match=r"the probe gave no answer; its output ends with: hello; and: trouble"):
        smoke(lock, venv=tmp_path / "venv")


def test_here(cache: Cache) -> None:
    """The interpreter that runs these tests holds no TensorFlow, and is told so."""
    report = smoke(lock_of(wheel(cache, "tensorflow_cpu", "2.21.0")), here=True, cache=cache)
    assert report.subject == f"Python {sys.executable}"
    assert report.levels[0].detail == "tensorflow-cpu 2.21.0 is locked but not installed"
    assert report.levels[1].outcome is Outcome.FAILED


class MemoryEngine:
    """An engine with one image, in which a probe answers as it once did."""

    def __init__(self, answer: str, gpus: str | None = None) -> None:
        self.answer = answer
        self.has = gpus
        self.ran: dict[str, Any] = {}

    def image(self, reference: str) -> HeldImage | None:
        return HeldImage(id="sha256:1") if reference == "here" else None

    def gpus(self) -> str | None:
        return self.has

    def run(self, image: str, command: Sequence[str], *, files: Mapping[str, bytes], gpus: bool, timeout: int) -> Run:
        self.ran = {"image": image, "command": list(command), "files": files, "gpus": gpus, "timeout": timeout}
        return Run(exit_code=0, stdout=self.answer, stderr="")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ran["closed"] = True

    def connect(self) -> Engine:
        return cast("Engine", self)


def answer(name: str) -> str:
    return f"noise\n{exchange.MARK}{json.dumps(recorded(name))}{exchange.END}\n"


@pytest.mark.parametrize(("has", "given"), [(None, False), ("cdi", True), ("nvidia-runtime", True)])
def test_an_image_is_proven(cache: Cache, has: str | None, given: bool) -> None:
    """The probe runs in a container, which gets GPUs where they are wanted and there are any."""
    engine = MemoryEngine(answer("healthy-gpu"), gpus=has)
    lock = recorded_lock(recorded("healthy-gpu"))
    report = smoke(lock, image="here", connect=engine.connect, cache=cache)
    assert not report.failed
    assert report.subject == "image here"
    assert engine.ran["gpus"] is given
    assert engine.ran["closed"]
    assert engine.ran["command"][:2] == ["python", "-I"]
    assert engine.ran["files"][engine.ran["command"][2]] == exchange.source().encode()


def test_a_cpu_image_gets_no_gpu(cache: Cache) -> None:
    """A lock without GPU is not proven with one."""
    engine = MemoryEngine(answer("healthy-cpu"), gpus="cdi")
    assert not smoke(recorded_lock(recorded("healthy-cpu")), image="here", connect=engine.connect, cache=cache).failed
    assert engine.ran["gpus"] is False


def test_no_image(cache: Cache) -> None:
    """An image that the engine does not have is said before anything is tried; so is one that answers nothing."""
    lock = recorded_lock(recorded("healthy-cpu"))
    with pytest.raises(EngineError, match="the engine has no image `there`"):
        smoke(lock, image="there", connect=MemoryEngine("").connect, cache=cache)
    with pytest.raises(SmokeFailed, match="the probe gave no answer"):
        smoke(lock, image="here", connect=MemoryEngine("").connect, cache=cache)


def test_the_table() -> None:
    """One aligned line a level, further findings below it, and what it comes to."""
    found = recorded("healthy-gpu")
    lines = table(judge(recorded_lock(found), found, subject="venv .venv")).splitlines()
    assert lines[0].startswith("L0 installed is what is locked        passed   50 packages")
    assert lines[3] == "L3 CUDA libraries open, and are ours  passed   28 libraries, cuDNN 8.9.7"
    assert lines[4].startswith("     TensorFlow does not find libnccl.so.2")
    assert lines[6].startswith(
        "L4 matmul float32, float16            not tried on GPU: no NVIDIA driver here (CPU passed"
    )
    assert lines[-1] == "smoke passed without a GPU (exit 7): run it again on the target machine"
    broken = recorded("numpy2")
    lines = table(judge(recorded_lock(recorded("healthy-2.14")), broken, subject="venv .venv")).splitlines()
    assert lines[0].endswith("failed   numpy 2.1.3 is installed, but the lock has 1.26.4")
    assert lines[-2].endswith("not tried: TensorFlow cannot be imported")
    assert lines[-1] == "smoke failed at L0 (exit 6): venv .venv"
    healthy = recorded("healthy-cpu")
    assert table(judge(recorded_lock(healthy), healthy, subject="venv x")).endswith("\nsmoke passed: venv x")


def test_the_report_as_json() -> None:
    """Every level with its outcome, and whether a GPU was wanted and tried."""
    found = recorded("cudnn9")
    told = json.loads(json.dumps(as_json(judge(recorded_lock(recorded("healthy-gpu")), found, subject="v"))))
    assert (told["passed"], told["gpu_wanted"], told["gpu_tried"]) == (False, True, False)
    assert [level["outcome"] for level in told["levels"]][3] == "failed"
    assert "cuDNN 9 (9.3.0) is installed, but TensorFlow 2.17.1 was compiled for 8" in told["levels"][3]["findings"]


def test_commands(tfenv: Tfenv, cache: Cache) -> None:
    """`sync` makes the environment, `smoke` finds fault with the stand-in: exit 6, the table or the document alone."""
    broken = {"tensorflow/__init__.py": "raise ImportError('only a stand-in')"}
    lock = lock_of(wheel(cache, "tensorflow_cpu", "2.21.0", broken), wheel(cache, "alpha", "1.0"))
    with open("pylock.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(pylock.dumps(lock))
    dry = tfenv("sync", "--offline", "--dry-run")
    assert dry.code == 0
    assert dry.err.endswith(": 2 to install\n")
    ran = tfenv("sync", "--offline", "-v")
    assert (ran.code, ran.out) == (0, "")
    assert "  + alpha 1.0\n" in ran.err
    assert "2 installed in " in ran.err
    again = tfenv("sync", "--offline", "--json")
    assert json.loads(again.out) == {
        "venv": ".venv",
        "python": None,
        "installed": [],
        "removed": [],
        "kept": 2,
        "swept": [],
        "dry_run": False,
    }
    ran = tfenv("smoke", "--venv", ".venv")
    assert ran.code == 6
    assert ran.out.splitlines()[-1] == "smoke failed at L1 (exit 6): venv .venv"
    assert ran.err == ""
    ran = tfenv("smoke", "--venv", ".venv", "--json")
    assert (ran.code, json.loads(ran.out)["passed"]) == (6, False)
    with open("pylock.small.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(pylock.dumps(replace(lock, packages=lock.packages[1:])))
    ran = tfenv("sync", "--offline", "--target", "small", "-v")
    assert "  - alpha\n" in ran.err


def test_wrong_usage(tfenv: Tfenv, cache: Cache) -> None:
    """One thing is proven at a time, and there must be a lock."""
    assert tfenv("smoke", "--here").code == 2
    with open("pylock.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(pylock.dumps(lock_of(wheel(cache, "tensorflow_cpu", "2.21.0"))))
    ran = tfenv("smoke", "--here", "--venv", ".venv")
    assert ran.code == 2
    assert "exclude each other" in ran.err
    ran = tfenv("smoke", "--here", "-q")
    assert (ran.code, ran.out, ran.err) == (6, "", "")


@pytest.mark.parametrize("place", ["bin/python", "Scripts/python.exe"])
def test_interpreter_of_an_environment(place: str, tmp_path: Path) -> None:
    """Both layouts of virtual environments are known."""
    path = tmp_path / place
    path.parent.mkdir()
    path.touch()
    assert interpreter(tmp_path) == path
    with pytest.raises(UsageError, match="not a virtual environment"):
        interpreter(tmp_path / "absent")
