"""The command line as a whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import tfenv as package
from tfenv import errors
from tfenv.cli._commands import SUMMARIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex


def _classes(root: type[errors.TfenvError]) -> list[type[errors.TfenvError]]:
    return [root, *(found for child in root.__subclasses__() for found in _classes(child))]


def test_exit_codes_are_unique() -> None:
    """Every class of error has an exit code and a name of its own, and the docstring of the module lists it."""
    classes = _classes(errors.TfenvError)
    assert len({error.exit_code for error in classes}) == len(classes)
    assert len({error.code for error in classes}) == len(classes)
    assert errors.__doc__ is not None
    for error in classes:
        assert error.__name__ in errors.__doc__


def test_version_and_help(tfenv: Tfenv) -> None:
    """`--version` is data; every command has help that ends with 0; no command at all ends with 2."""
    ran = tfenv("--version")
    assert (ran.code, ran.out) == (0, f"tfenv {package.__version__}\n")
    ran = tfenv("--help")
    assert ran.code == 0
    commands = [line.split()[0] for line in ran.out.split("\n\n")[-2].splitlines()[1:]]
    assert {"init", "lock", "render", "build", "facts"} <= set(commands)
    for command in commands:
        told = tfenv(command, "--help")
        assert told.code == 0
        assert "Usage:" in told.out
    assert tfenv().code == 2


def test_unknown_command(tfenv: Tfenv) -> None:
    """A command that does not exist is a usage error with a hint."""
    ran = tfenv("dance")
    assert ran.code == 2
    assert ran.err == "error: No such command 'dance'.\nhint: `tfenv --help` lists what it takes\n"


def test_usage_errors_in_json(tfenv: Tfenv) -> None:
    """`--json` counts for a command line that cannot be read, too."""
    ran = tfenv("lock", "--json", "--no-such-option")
    assert (ran.code, ran.err) == (2, "")
    error = json.loads(ran.out)["error"]
    assert (error["code"], error["hint"]) == ("usage", "`tfenv lock --help` lists what it takes")
    assert "--no-such-option" in error["message"]


def test_an_interrupt_ends_with_130(index: FakeIndex, tmp_path: Path) -> None:
    """Ctrl-C ends a command at once, says so in words or in JSON, and leaves no file."""
    index.fault("/simple/", seconds=8, times=9)
    command = [sys.executable, "-c", "from tfenv.cli import main; main()", "lock", "--json", "--index-url", index.url]
    environment = {**os.environ, "TFENV_CACHE_DIR": str(tmp_path / "cache")}
    folder = tmp_path / "project"
    folder.mkdir()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        # what a shell runs in the background ignores Ctrl-C, and so would all that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        while index.most_at_once == 0:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"
    assert not list(folder.iterdir())


def test_a_reader_that_leaves_is_no_error() -> None:
    """`tfenv --help | head -1` ends quietly."""
    command = f"'{sys.executable}' -c 'from tfenv.cli import main; main()' --help | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: ")


def _imported(*arguments: str) -> set[str]:
    """The modules of a fresh process after it ran a command."""
    code = (
        f"import sys; sys.argv = {['tfenv', *arguments]!r}\n"
        "try:\n from tfenv.cli import main; main()\n"
        "except SystemExit: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """What `--help` does not need is not imported: starting up takes what typer takes, and little more."""
    ours = _imported(*arguments)
    assert not ours & {"pydantic", "packaging", "httpx", "docker", "jinja2", "tomlkit", "rich", "asyncio"}
    typer = subprocess.run(
        [sys.executable, "-c", "import typer, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert len(ours - set(typer.stdout.split())) <= 20


def test_commands_are_where_their_names_say() -> None:
    """Every command of the table has a module with a function, or an app, for it; every one has a summary."""
    for name, summary in SUMMARIES.items():
        module = import_module(f"tfenv.cli.{name}")
        assert hasattr(module, "app") or callable(getattr(module, name))
        assert 10 < len(summary) < 65
