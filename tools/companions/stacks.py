"""What is tried: environments of a release and some companions, and what is done with each companion."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from tfenv.model.package import Name, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One environment.

    Attributes:
        tensorflow: `X.Y`.
        python: `X.Y`.
        requires: as `--with` takes them.
        keras: as `--keras` takes it.
    """

    tensorflow: str
    python: Version
    requires: tuple[str, ...]
    keras: int | None = None

    @property
    def companions(self) -> tuple[Name, ...]:
        """Names of what is required."""
        return tuple(normalize(Requirement(text).name) for text in self.requires)

    def __str__(self) -> str:
        return f"{self.tensorflow}@{self.python}" + (f" with Keras {self.keras}" if self.keras else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of a companion.

    Attributes:
        says: what is done, in one clause.
        code: that does it.
    """

    says: str
    code: str


def stacks() -> tuple[Stack, ...]:
    """All environments, in the order of the file."""
    rows = tomllib.loads((HERE / "stacks.toml").read_text(encoding="utf-8"))["stack"]
    return tuple(
        Stack(
            tensorflow=row["tensorflow"],
            python=Version(row["python"]),
            requires=tuple(row["requires"]),
            keras=row.get("keras"),
        )
        for row in rows
    )


def calls() -> dict[Name, Call]:
    """By companion."""
    rows = tomllib.loads((HERE / "calls.toml").read_text(encoding="utf-8"))["call"]
    return {normalize(row["package"]): Call(says=row["says"], code=row["code"]) for row in rows}


def pick(every: Iterable[Stack], wanted: Iterable[str]) -> Iterator[Stack]:
    """Those that were named as `2.11` or `2.11@3.10`; all if none was."""
    names = set(wanted)
    for stack in every:
        if not names or names & {stack.tensorflow, f"{stack.tensorflow}@{stack.python}"}:
            yield stack
