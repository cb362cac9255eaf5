"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import tfenv as package
from tfenv import errors

if TYPE_CHECKING:
    from tests.support.commands import Tfenv


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
    commands = [line.split()[0] for line in ran.out.partition("Commands:\n")[2].splitlines() if line.startswith("  ")]
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


def test_a_reader_that_leaves_is_no_error() -> None:
    """`tfenv --help | head -1` ends quietly."""
    command = f"'{sys.executable}' -c 'from tfenv.cli import main; main()' --help | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("heavy", ["httpx", "docker", "jinja2", "resolvelib", "tomlkit", "rich.progress", "asyncio"])
def test_help_imports_nothing_heavy(heavy: str) -> None:
    """What `--help` does not need is not imported: starting up must stay fast."""
    code = (
        "import sys; sys.argv = ['tfenv', '--version']\n"
        "try:\n from tfenv.cli import main; main()\n"
        f"except SystemExit: print({heavy!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
