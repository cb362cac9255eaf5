"""`constraints/evidence/pairs.toml`: which companion was tried with which release, when, and how it ended."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAD = """\
# What was tried: a release of TensorFlow and one of a companion, locked together by tfenv, installed by hash, and used
# on the CPU. Written by `python -m tools.companions`; nobody types these rows.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One trial.

    Attributes:
        tensorflow: the release.
        package: the companion.
        version: of it.
        python: `X.Y`.
        keras: what was asked for by `--keras`.
        date: ISO 8601.
        does: what was done, in one clause.
        outcome: `passed`, or what went wrong in one line.
    """

    tensorflow: Version
    package: Name
    version: Version
    python: Version
    date: str
    does: str
    outcome: str
    keras: int | None = None

    @property
    def passed(self) -> bool:
        """Did it work?"""
        return self.outcome == "passed"

    @property
    def key(self) -> tuple[Version, Version, int, Name]:
        """Pairs of one key replace each other; also their order."""
        release = Version(f"{self.tensorflow.major}.{self.tensorflow.minor}")
        return release, self.python, self.keras or 0, self.package


def load(path: Path) -> tuple[Pair, ...]:
    """What was written down; nothing if there is no file."""
    if not path.exists():
        return ()
    return tuple(
        Pair(
            tensorflow=Version(row["tensorflow"]),
            package=Name(row["package"]),
            version=Version(row["version"]),
            python=Version(row["python"]),
            keras=row.get("keras"),
            date=row["date"],
            does=row["does"],
            outcome=row["outcome"],
        )
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("pair", ())
    )


def dumps(pairs: Iterable[Pair]) -> str:
    """The whole file, in order; of two of one key the later one counts."""
    lines = [HEAD]
    for pair in sorted({pair.key: pair for pair in pairs}.values(), key=lambda pair: pair.key):
        outcome = pair.outcome.replace("\\", "\\\\").replace('"', '\\"')
        lines += [
            "[[pair]]",
            f'tensorflow = "{pair.tensorflow}"',
            f'package = "{pair.package}"',
            f'version = "{pair.version}"',
            f'python = "{pair.python}"',
            *([f"keras = {pair.keras}"] if pair.keras is not None else []),
            f'date = "{pair.date}"',
            f'does = "{pair.does}"',
            f'outcome = "{outcome}"',
            "",
        ]
    return "\n".join(lines)
