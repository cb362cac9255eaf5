"""`python -m tools.tried [RELEASE[@PYTHON] …]`: run the examples on these releases, or on all in the file.

Every file of `examples` is run on each release, in an environment that tfenv locks and installs, with the companions
that `infer` names for the examples. What came of it goes to `examples/tried.toml`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.facts.database import load as load_database
from tfenv.infer.python import notebook
from tfenv.model.goal import Goal
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Target
from tfenv.smoke.run import interpreter
from tfenv.store.cache import Cache
from tfenv.venv.sync import sync
from tfenv.workflow.infer import infer_with
from tfenv.workflow.lock.solve import solve
from tools.companions.stacks import Call
from tools.companions.trial import use

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.facts.database import Database
    from tfenv.model.lock import Lock

FOLDER = Path(__file__).parents[1] / "tests" / "infer" / "examples"
FILE = FOLDER / "tried.toml"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".py", ".ipynb"))
HEAD = """\
# What came of running each file of this folder: `ran`, or what a person would have seen last. Written by
# `python -m tools.tried`; nobody types these rows. `where` tells what the releases were tried in.
"""


@dataclass(frozen=True, kw_only=True)
class Where:
    """An environment: what stood for a minor release.

    Attributes:
        tensorflow: its version.
        python: `X.Y`.
        companions: `name==version` of the packages beside it that examples import.
        date: ISO 8601.
    """

    tensorflow: str
    python: str
    companions: tuple[str, ...]
    date: str


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The file `tried.toml`: environments by minor release, outcomes by example and minor release."""

    where: dict[str, Where]
    came: dict[str, dict[str, str]]


def load() -> Tried:
    """What was tried."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    where = told.pop("where", {})
    return Tried(
        where={minor: Where(**{**row, "companions": tuple(row["companions"])}) for minor, row in where.items()},
        came=told,
    )


def dumps(tried: Tried) -> str:
    """The text of that file, releases in order, examples that are there no longer left out."""
    lines = [HEAD]
    for minor, row in sorted(tried.where.items(), key=lambda item: Version(item[0])):
        beside = ", ".join(json.dumps(one) for one in row.companions)
        told = f'tensorflow = "{row.tensorflow}", python = "{row.python}", companions = [{beside}], date = "{row.date}"'
        lines.append(f'where."{minor}" = {{ {told} }}')
    for path in FILES:
        lines += ["", f'["{path.name}"]']
        rows = sorted(tried.came.get(path.name, {}).items(), key=lambda item: Version(item[0]))
        lines += [f'"{minor}" = {json.dumps(came, ensure_ascii=False)}' for minor, came in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Try them."""
    tried = load()
    parser = argparse.ArgumentParser(prog="python -m tools.tried", description=__doc__)
    parser.add_argument("releases", nargs="*", metavar="RELEASE[@PYTHON]", help="2.15 or 2.15@3.11")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave the environments there, or take up what is there"
    )
    options = parser.parse_args()
    os.environ["UV_NO_CACHE"] = "1"
    database = load_database()
    for text in options.releases or tried.where:
        minor, _, python = text.partition("@")
        python = python or tried.where[minor].python
        with tempfile.TemporaryDirectory(prefix="tfenv-tried-") as temporary:
            folder = Path(temporary)
            companions = beside(minor, database)
            answer = locked(minor, python, companions, database)
            venv = (options.keep or folder) / minor
            sync(answer, venv, cache=Cache(folder / "cache"))
            codes = {Name(path.name): Call(says="", code=_code(path)) for path in FILES}
            for name, outcome in use(codes, interpreter(venv), folder / "use"):
                tried.came.setdefault(name, {})[minor] = (
                    "ran" if outcome == "passed" else outcome.replace(f"{venv}/", "")
                )
        tried.where[minor] = Where(
            tensorflow=str(answer.tensorflow.version),
            python=python,
            companions=tuple(f"{one.name}=={one.version}" for one in answer.packages if one.name in companions),
            date=datetime.now(UTC).date().isoformat(),
        )
        FILE.write_text(dumps(tried), encoding="utf-8")
        ran = sum(tried.came[path.name][minor] == "ran" for path in FILES)
        print(f"{minor}: {ran} of {len(FILES)} ran", flush=True)


def beside(minor: str, database: Database) -> tuple[str, ...]:
    """The companions that `infer` names for the examples; `tf-keras` where TF_USE_LEGACY_KERAS is heeded."""
    found = {name for path in FILES for name in infer_with([path], database).companions}
    return tuple(sorted(found | ({"tf-keras"} if Version(minor) >= Version("2.15") else set())))


def locked(minor: str, python: str, companions: Iterable[str], database: Database) -> Lock:
    """A lock of a release with these companions."""
    request = Goal(
        tensorflow=SpecifierSet(f"=={minor}.*"),
        target=replace(Target(), python=Version(python)),
        requirements=tuple(Requirement.of(PackagingRequirement(one), source=f"--with {one}") for one in companions),
    )
    return solve(request, database=database)


def _code(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    return "\n".join(line for _, cell in notebook._cells(json.loads(text)) for line in notebook._plain(cell))


if __name__ == "__main__":
    main()
