"""The commands, and the one place where the process ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn, cast

import typer

import tfenv
from tfenv.cli import _console
from tfenv.cli._commands import PLAIN, Commands
from tfenv.errors import TfenvError, UsageError

app = typer.Typer(
    name="tfenv",
    cls=Commands,
    help="Reproducible TensorFlow environments: lock wheels and hardware together, build the image, prove it.",
    no_args_is_help=True,
    **(PLAIN | {"add_completion": True}),
)

INTERRUPTED = 130

# typer carries its own copy of click, whose errors it exports only in part
_CommandLineError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def _version(wanted: bool) -> None:
    if wanted:
        _console.data(f"tfenv {tfenv.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def spell_out(arguments: list[str]) -> list[str]:
    """`--upgrade` may stand without a name, which typer's options cannot: give it an empty one."""
    followed = zip(arguments, [*arguments[1:], "-"], strict=False)
    return [f"{word}=" if word == "--upgrade" and after.startswith("-") else word for word, after in followed]


def _call(arguments: list[str]) -> int:
    # until a command has read its options, and for one that cannot
    _console.configure(json_output="--json" in arguments)
    try:
        code = int(app(spell_out(arguments), prog_name="tfenv", standalone_mode=False) or 0)
    except TfenvError as error:
        if error.message:
            _console.complain(error)
        return error.exit_code
    except _CommandLineError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            _console.data(error.format_message())
        else:
            command = error.ctx.command_path if error.ctx else "tfenv"
            _console.complain(UsageError(error.format_message(), hint=f"`{command} --help` lists what it takes"))
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    # typer makes a Ctrl-C into this code
    if code == INTERRUPTED:
        _console.interrupted()
    return code


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code.

    Args:
        arguments: instead of those of the process.
    """
    try:
        code = _call(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader of our output has left, as in `tfenv compat | head`; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
