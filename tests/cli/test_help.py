"""Help texts: an example for every command, each of which can be parsed, in plain words at 80 columns."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tfenv.cli._commands import SUMMARIES
from tfenv.cli._help import EXAMPLES
from tfenv.cli.app import app, spell_out

HELP = (Path(__file__).parent / "snapshots" / "help.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_examples(name: str) -> None:
    """Two or three, of this command, in the help text."""
    examples = EXAMPLES[f"tfenv {name}"]
    assert 2 <= len(examples) <= 4
    assert all(f"tfenv {name}" in example and f"  {example}\n" in HELP for example in examples)


@pytest.mark.parametrize("example", [example for examples in EXAMPLES.values() for example in examples])
def test_examples_can_be_parsed(example: str) -> None:
    """Commands and options of an example exist."""
    words = shlex.split(re.split(r"\s[>|]\s", example)[-1 if "| tfenv" in example else 0])
    group: Any = typer.main.get_command(app)
    group.get_command(None, words[1]).make_context(words[1], spell_out(words[2:]), resilient_parsing=False)


def test_help_fits_80_columns() -> None:
    """No line of any help text is longer than a terminal is wide."""
    assert [line for line in HELP.splitlines() if len(line) > 80] == []


def test_first_lines_are_short_imperatives() -> None:
    """A verb with a capital, at most 60 characters."""
    assert [text for text in SUMMARIES.values() if len(text) > 60 or not re.match(r"[A-Z][a-z]+ ", text)] == []


def test_metavars_are_plain() -> None:
    """No brackets within brackets, no Python types."""
    assert re.findall(r"\[\[|\{[A-Z]|<(?:str|list|int|Path)", HELP) == []


def test_python_m() -> None:
    """`python -m tfenv` is the command."""
    ran = subprocess.run([sys.executable, "-m", "tfenv", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"tfenv \S+\n", ran.stdout)
