"""Every exception, pipe and terminal ends in a message and an exit code, never in a traceback."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.support.disk import full_disk
from tfenv.cli._commands import SUMMARIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex

MAIN = "from tfenv.cli import main; main()"


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command `tfenv raising` that raises the `error` of its module."""
    module = ModuleType("tfenv.cli.raising")

    def raising(json_output: bool = False) -> None:
        raise module.error

    module.raising = raising  # type: ignore[attr-defined]
    monkeypatch.setitem(SUMMARIES, "raising", "a command that fails")
    monkeypatch.setitem(sys.modules, "tfenv.cli.raising", module)
    monkeypatch.delenv("TFENV_DEBUG", raising=False)
    return module


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            ZeroDivisionError("division\nby zero"),
            70,
            "internal error: ZeroDivisionError: division by zero (test_bo",
        ),
        (AssertionError(), 70, "internal error: AssertionError: (test_boundary.py:"),
        (OSError("odd"), 70, "internal error: OSError: odd"),
        (
            BrokenPipeError(errno.EPIPE, "Broken pipe"),
            70,
            "internal error: RuntimeError: a connection broke",
        ),
        (RecursionError("deep"), 70, "internal error: RecursionError: deep"),
        (OSError(errno.ENOSPC, "No space left on device"), 10, "`a file` cannot be written: No space left on device"),
        (OSError(errno.EROFS, "Read-only file system", "/a/b"), 10, "`/a/b` cannot be written: Read-only file system"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), 10, "`/a/b` cannot be used: Permission denied"),
        (MemoryError(), 10, "this host is out of memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_nobody_expected(tfenv: Tfenv, raising: ModuleType, error: BaseException, code: int, message: str) -> None:
    """One line and where to report it, the exit code of its kind, and the same as an object with `--json`."""
    raising.error = error  # type: ignore[attr-defined]
    ran = tfenv("raising")
    assert (ran.code, ran.out) == (code, "")
    lines = ran.err.splitlines()
    assert lines[0].removeprefix("error: ").startswith(message)
    assert len(lines) <= 2
    if code == 70:
        assert "TFENV_DEBUG=1" in lines[1]
        assert "report" in lines[1]
    ran = tfenv("raising", "--json-output")
    assert ran.code == code


def test_faults_in_json_and_with_a_traceback(
    tfenv: Tfenv, raising: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--json` makes an object of a fault, and TFENV_DEBUG=1 adds the traceback on standard error."""
    raising.error = ZeroDivisionError("x" * 5_000)  # type: ignore[attr-defined]
    monkeypatch.setenv("TFENV_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["tfenv"])
    ran = tfenv("raising", "--json")  # which this command does not have
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "usage")
    ran = tfenv("raising")
    assert "Traceback (most recent call last)" in ran.err
    assert len(ran.err.splitlines()[-2]) < 500


def _run(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell in which `$TFENV` starts tfenv."""
    tfenv = f"{sys.executable} -c '{MAIN}'"
    known = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(
        ["bash", "-c", command.replace("$TFENV", tfenv)],
        env=known | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["cp1252", "ascii", "C"],
)
def test_characters_that_cannot_be_shown(environment: dict[str, str]) -> None:
    """A table comes in plainer characters, and JSON stays JSON."""
    done = _run("$TFENV compat && $TFENV compat --json", **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    table, _, document = done.stdout.partition(b"\n[")
    assert b">= 450.80.02" in table
    assert json.loads(b"[" + document)


@pytest.mark.parametrize("options", ["", "--json", "--markdown"])
def test_a_reader_that_leaves(options: str) -> None:
    """`tfenv compat | head -1` ends with 0 and without a word."""
    done = _run(f"set -o pipefail; $TFENV compat {options} | head -1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("command", ["compat", "compat --json", "--help", "--version"])
def test_output_to_a_full_disk(command: str) -> None:
    """Output that is lost is exit 10 with the reason, on standard error also with `--json`."""
    done = _run(f"$TFENV {command} > /dev/full")
    assert done.returncode == 10
    assert done.stderr == b"error: standard output cannot be written: No space left on device\n"


def test_streams_that_are_closed() -> None:
    """Closed standard output and error change nothing; closed standard input is an error where it is read."""
    assert _run("$TFENV compat >&-").returncode == 0
    assert _run("$TFENV dance 2>&-").returncode == 2
    assert _run("$TFENV dance 2>/dev/full").returncode == 2
    done = _run("$TFENV check --from - --json <&-")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "usage")
    done = _run(r"printf '\xff' | $TFENV check --from - --json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "usage")


def test_an_interrupt_at_any_time() -> None:
    """Before, while and after a command runs: 130 or the command's own answer, and no traceback."""
    codes = set()
    for delay in (0.01, 0.03, 0.05, 0.1, 0.15):
        code = f"""
import _thread, threading
from tfenv.cli import main
threading.Timer({delay}, _thread.interrupt_main).start()
main()
"""
        done = subprocess.run([sys.executable, "-c", code, "compat"], capture_output=True, check=False)
        assert b"Traceback" not in done.stderr
        codes.add(done.returncode)
    assert codes <= {0, 130}
    assert 130 in codes


HOSTILE = {
    "missing": None,
    "folder": None,
    "binary": bytes(range(256)) * 8,
    "nested.toml": b'lock-version = "1.0"\na = ' + b"[" * 20_000,
    "nested.json": b'{"tf": ' * 20_000,
    "nested.yml": b"dependencies: " + b"[" * 5_000,
    "nested.txt": b"a; " + b"(" * 5_000 + b"python_version<'3'" + b")" * 5_000,
    "number.toml": b'lock-version = "1.0"\na = ' + b"9" * 6_000,
    "date.yml": b"dependencies: 2001-99-99\n",
    "zero.txt": b"numpy\x00==1\n",
}
LOCKS = ("*.toml", "binary", "missing", "folder")
COMMANDS = {
    ("check",): ("*",),
    ("check", "--from"): ("*",),
    ("lock", "-r"): ("*",),
    ("lock", "-c"): ("*",),
    ("lock", "--project"): LOCKS,
    ("lock", "--target-file"): LOCKS,
    ("why", "numpy", "--lock"): LOCKS,
    ("render", "--lock"): LOCKS,
    ("build", "--lock"): LOCKS,
    ("sync", "--lock"): LOCKS,
    ("smoke", "--here", "--lock"): LOCKS,
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_hostile_files(tfenv: Tfenv, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Every command that reads a file of the user answers for each of these with an error object and exit 2."""
    (tmp_path / "folder").mkdir()
    for name, content in HOSTILE.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    for name in HOSTILE:
        if any((tmp_path / name).match(pattern) for pattern in COMMANDS[command]):
            ran = tfenv(*command, tmp_path / name, "--json")
            assert (ran.code, ran.err) == (2, ""), name
            assert json.loads(ran.out)["error"]["code"] == "usage"


def test_a_project_that_cannot_be_read(tfenv: Tfenv, tmp_path: Path) -> None:
    """`init` refuses a `pyproject.toml` that it cannot read."""
    for name in ("nested.toml", "number.toml", "binary"):
        (tmp_path / "project" / "pyproject.toml").write_bytes(HOSTILE[name] or b"")
        ran = tfenv("init", "--gpu", "cuda12", "--json")
        assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "usage"), name


def test_a_lock_on_a_full_disk(tfenv: Tfenv, index: FakeIndex, tmp_path: Path) -> None:
    """A disk without room is exit 10 with the path, for a new lock and for files made from one."""
    ask = ("--index-url", index.url)
    with full_disk():
        ran = tfenv("lock", *ask, "--json")
    assert ran.code == 10
    assert "pylock.toml` cannot be written" in json.loads(ran.out)["error"]["message"]
    assert not list((tmp_path / "project").iterdir())
    assert tfenv("lock", *ask).code == 0
    with full_disk():
        ran = tfenv("render", "--lock", "pylock.toml", "-o", "elsewhere", "--json")
    assert ran.code == 10
    assert "cannot be written" in json.loads(ran.out)["error"]["message"]
