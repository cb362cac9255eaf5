"""The commands by name: the module of one is imported when it is called, its options are built when they are read."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tfenv.cli._help import HelpfulCommand, HelpfulGroup

if TYPE_CHECKING:
    from collections.abc import Callable

SUMMARIES = {
    "init": "Write the request into pyproject.toml",
    "lock": "Resolve packages, Python and machine; write the lock",
    "why": "Show what brought a package into the lock",
    "check": "Find out whether a combination works",
    "doctor": "Examine this machine: what runs, what is wrong",
    "onboard": "Print a script that prepares a machine",
    "render": "Write environment.yml and Dockerfile from the lock",
    "build": "Build the image of a lock",
    "smoke": "Test an image or environment against its lock",
    "sync": "Make a virtual environment match the lock",
    "infer": "List the releases that code or a model works with",
    "compat": "Show what each release requires",
    "facts": "Show or update the rows of the database",
    "cache": "Show or empty the cache",
}
"""Every command in the order of the help; each is a function, or an `app`, in the module of its name."""

PLAIN: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Settings that all commands share."""


class Commands(HelpfulGroup):
    """A group of commands that imports only the module of the command that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(SUMMARIES)  # type: ignore[assignment]  # typer looks for near misses here

    def get_params(self, ctx: Any) -> list[Any]:
        """Options whose conversion is deferred."""
        return _spared(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # typer names it
        """The command, built now."""
        return _built(cmd_name) if cmd_name in SUMMARIES else None

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Typer takes every broken pipe for that of standard output and ends the process; that one is handled in
        `_console`, and any other is an error.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise RuntimeError("a connection broke during a write") from error

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # typer names it
        """Write the commands from their summaries, so that `tfenv --help` imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


class _Command(HelpfulCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _spared(super().get_params(ctx))


def _built(name: str) -> Any:
    module = import_module(f"tfenv.cli.{name}")
    wrapped = getattr(module, "app", None)
    if wrapped is None:
        wrapped = typer.Typer(**PLAIN)
        wrapped.command(name, cls=_Command)(getattr(module, name))
    command = typer.main.get_command(wrapped)
    command.name = name
    return command


def _spared(parameters: list[Any]) -> list[Any]:
    """Convert text without typer.

    Typer asks pydantic to convert each value, and that import takes as long as typer's own. A typer without the two
    attributes that are looked at here converts everything itself.
    """
    for parameter in parameters:
        usual = getattr(parameter, "get_runtime_param", None)
        if hasattr(parameter, "type_descriptor") and usual is not None and not isinstance(usual, _Converter):
            parameter.get_runtime_param = _Converter(usual)
    return parameters


class _Converter:
    """Converts the values of a parameter; typer's own converter, which `usual` makes, converts what is not text."""

    def __init__(self, usual: Callable[[], Any]) -> None:
        self._usual = usual

    def __call__(self) -> _Converter:
        return self

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """The converted value."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        kind = param.type_descriptor.annotation
        if kind in (str, list[str]) or (kind is bool and isinstance(value, bool)):
            return value
        if kind is Path:  # typer checks none of them
            return Path(value)
        return self._usual().coerce(value, param=param, ctx=ctx)
