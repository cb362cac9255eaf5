"""`constraints/evidence/trials.toml`: what was installed and run, when, and how it ended.

A trial is of a release of TensorFlow on a Python, alone (`tools.matrix`) or with a companion (`tools.companions`).
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE = Path(__file__).parents[1] / "constraints" / "evidence" / "trials.toml"

HEAD = """\
# What was tried on the CPU: a release of TensorFlow, alone or with a companion, installed as tfenv locks it or as a
# plain resolver does (uv, newest of everything). Written by `python -m tools.matrix` and `python -m tools.companions`,
# never by hand.
"""

SUMMARY = re.compile(r"tfenv: \d+ of \d+ · plain: \d+ of \d+")
"""A summary, as the README has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One environment, or one companion in it, and the outcome.

    Attributes:
        tensorflow: release that was installed.
        python: version of the interpreter, `X.Y`.
        by: resolver that chose the packages: `tfenv` or `plain`.
        package: companion that was used; ``None`` if TensorFlow alone was.
        version: release of the companion.
        keras: major that was asked for with `--keras`.
        does: what was done with the companion, in one clause.
        date: day of the trial, ISO 8601.
        outcome: `passed`, or what went wrong in one line.
        packages: count of installed distributions; ``None`` where it was not counted.
    """

    tensorflow: Version
    python: Version
    by: str = "tfenv"
    package: Name | None = None
    version: Version | None = None
    keras: int | None = None
    does: str | None = None
    date: str
    outcome: str
    packages: int | None = None

    @property
    def passed(self) -> bool:
        """Did everything work?"""
        return self.outcome == "passed"

    @property
    def minor(self) -> str:
        """The minor release of TensorFlow: `2.17` for 2.17.1."""
        return f"{self.tensorflow.major}.{self.tensorflow.minor}"

    @property
    def key(self) -> tuple[str, Version, Version, int, str]:
        """Order of the file; a later trial of the same key replaces an earlier one.

        A companion is tried with whichever patch release is locked, so that its key holds the minor release.
        """
        release = self.tensorflow if self.package is None else Version(self.minor)
        return self.package or "", release, self.python, self.keras or 0, self.by


def load(path: Path = FILE) -> tuple[Trial, ...]:
    """The trials of a file, in order; none if there is no file."""
    if not path.exists():
        return ()
    return tuple(_trial(row) for row in tomllib.loads(path.read_text(encoding="utf-8")).get("trial", ()))


def dumps(trials: Iterable[Trial]) -> str:
    """The whole file, in order of the keys."""
    kept = {trial.key: trial for trial in trials}
    return "\n".join([HEAD, *("\n".join(_lines(kept[key])) + "\n" for key in sorted(kept))])


def record(path: Path, trial: Trial) -> None:
    """Add one trial to a file that several runs may write to."""
    import fcntl

    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        whole = path.with_suffix(".new")
        whole.write_text(dumps((*load(path), trial)), encoding="utf-8")
        whole.replace(path)
    finally:
        os.close(folder)


def summary(trials: Iterable[Trial]) -> str:
    """How many releases passed on how many Pythons, for each resolver; trials of companions do not count."""
    alone = [trial for trial in trials if trial.package is None]
    parts = []
    for by in ("tfenv", "plain"):
        tried = [trial for trial in alone if trial.by == by]
        parts.append(f"{by}: {sum(trial.passed for trial in tried)} of {len(tried)}")
    return " · ".join(parts)


def update_readme(readme: Path, trials: Iterable[Trial]) -> None:
    """Write the summary into the README."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(SUMMARY.sub(summary(trials), text), encoding="utf-8")


def _trial(row: dict[str, Any]) -> Trial:
    versions: dict[str, Version] = {key: Version(row[key]) for key in ("tensorflow", "python", "version") if key in row}
    package = Name(row["package"]) if "package" in row else None
    return Trial(**(row | versions | {"package": package}))


def _lines(trial: Trial) -> Iterator[str]:
    yield "[[trial]]"
    for key in Trial.__dataclass_fields__:
        value = getattr(trial, key)
        if value is not None:
            yield f"{key} = {value if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)}"
