"""Requirements of each release of TensorFlow on Python, CUDA, cuDNN, GPU and driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.check.knowledge import Knowledge
from tfenv.check.question import ask
from tfenv.check.verdict import judge
from tfenv.errors import UsageError
from tfenv.facts.compat import rows
from tfenv.facts.database import load
from tfenv.inputs.configuration import of_options
from tfenv.inputs.request import release_specifier
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.compat import CompatRow
    from tfenv.model.report import Verdict


def compat(spec: str | None = None, *, platform: str | None = None) -> tuple[CompatRow, ...]:
    """The compatibility table.

    Args:
        spec: releases: `2.17` or a specifier; by default the newest patch of every minor.
        platform: such as `linux-aarch64`; by default `linux-x86_64`.

    Raises:
        UsageError: the text is neither a version nor a specifier, or the release or platform is not known.
    """
    try:
        place = Platform(platform) if platform is not None else Platform.LINUX_X86_64
        found = rows(load(), release_specifier(spec) if spec else None, place)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not found:
        raise UsageError(f"the database has no release `{spec}`", hint="`tfenv compat` lists the minors it has")
    return found


def on_machine(
    table: Iterable[CompatRow],
    *,
    gpus: Iterable[str] = (),
    driver: str | None = None,
    python: str | None = None,
    platform: str | None = None,
) -> tuple[Verdict, ...]:
    """The verdict of `tfenv check` on each release for a machine; no index is read.

    Args:
        table: rows of `compat`.
        gpus: names of GPUs or compute capabilities, all of which must work.
        driver: NVIDIA driver, such as `535.104.05`.
        python: `X.Y` or `X.Y.Z`.
        platform: such as `linux-x86_64`.

    Raises:
        UsageError: an option cannot be understood.
    """
    database = load()
    knowledge = Knowledge(database)
    names = tuple(gpus)
    return tuple(
        judge(
            ask(of_options(tf=str(row.version), gpus=names, driver=driver, python=python, platform=platform), database),
            knowledge,
        )
        for row in table
    )
