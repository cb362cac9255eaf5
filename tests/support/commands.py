"""The command line, run in this process: exit code, standard output and standard error together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tfenv.cli import _console
from tfenv.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Callable

    Tfenv = Callable[..., "Ran"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def runner(capsys: pytest.CaptureFixture[str]) -> Tfenv:
    """A function that runs `tfenv` with its arguments."""

    def tfenv(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run([str(argument) for argument in arguments])
        _console.configure()
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(code=ended.value.code, out=captured.out, err=captured.err)

    return tfenv
