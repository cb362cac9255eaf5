"""The boundary of the command line: every exception ends here, as a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

import tfenv
from tfenv.cli import _console
from tfenv.cli._commands import PLAIN, Commands
from tfenv.cli._reminder import remind
from tfenv.errors import HostError, TfenvError, UsageError

app = typer.Typer(
    name="tfenv",
    cls=Commands,
    help="Reproducible TensorFlow environments: lock wheels and hardware together, build the image, test it.",
    **(PLAIN | {"add_completion": True}),
)

INTERRUPTED = 130

_LONGEST = 300
"""characters of the text of an exception that are shown: some hold a whole document"""


def _version(wanted: bool) -> None:
    if wanted:
        _console.data(f"tfenv {tfenv.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # its callback does it all
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        _console.data(context.get_help())
        raise typer.Exit(UsageError.exit_code)


def spell_out(arguments: list[str]) -> list[str]:
    """Give a bare `--upgrade` an empty value, because options of typer need one."""
    followed = zip(arguments, [*arguments[1:], "-"], strict=False)
    return [f"{word}=" if word == "--upgrade" and after.startswith("-") else word for word, after in followed]


def _call(arguments: list[str]) -> int:
    # until a command has read its options, and for one that cannot
    _console.configure(json_output="--json" in arguments)
    try:
        code = int(app(spell_out(arguments), prog_name="tfenv", standalone_mode=False) or 0)
        remind(arguments)
    except TfenvError as error:
        if error.message:
            _console.complain(error)
        return error.exit_code
    except typer.TyperException as error:
        # the context is missing where the fault is not in an option
        context: typer.Context | None = getattr(error, "ctx", None)
        command = context.command_path if context else "tfenv"
        _console.complain(UsageError(error.format_message(), hint=f"`{command} --help` lists what it takes"))
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except _console.OutputLost:
        raise
    except Exception as error:  # noqa: BLE001  # the boundary: nothing may pass it as a traceback
        failure = _failure(error)
        _console.complain(failure)
        return failure.exit_code
    # typer turns a Ctrl-C into this code
    if code == INTERRUPTED:
        _console.interrupted()
    return code


def _failure(error: Exception) -> TfenvError:
    """The error for an unexpected exception: a fault of this host, otherwise of tfenv itself."""
    import traceback

    from tfenv.store import files

    if os.environ.get("TFENV_DEBUG"):
        _console.trace("".join(traceback.format_exception(error)))
    if isinstance(error, OSError) and error.errno in files.DISK_FAULTS:
        return HostError(f"`{error.filename or 'a file'}` cannot be written: {error.strerror}")
    if isinstance(error, PermissionError) and error.filename:
        return HostError(f"`{error.filename}` cannot be used: {error.strerror}")
    if isinstance(error, MemoryError):
        return HostError("this host is out of memory", hint="close other programs, or use a larger machine")
    line = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(line.filename)}:{line.lineno}"  # noqa: PTH119  # a name, not a file
    why = " ".join(f"{type(error).__name__}: {error}".split())
    return TfenvError(
        f"internal error: {why if len(why) < _LONGEST else f'{why[:_LONGEST]}…'} ({where})",
        hint="set TFENV_DEBUG=1, repeat the command, and report its output to the project that you got tfenv from",
    )


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code.

    Args:
        arguments: command line; by default that of the process.
    """
    with _console.tolerant():
        try:
            code = _call(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
        except _console.OutputLost as lost:
            code = lost.exit_code
    sys.exit(code)
