"""The real thing: a release installed as tfenv locks it, imported, and walked by the probe."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tfenv.model.goal import Goal
from tfenv.model.package import Name, Requirement
from tfenv.model.target import Target
from tfenv.smoke.run import interpreter
from tfenv.store.cache import Cache
from tfenv.symbols import database as symbols
from tfenv.venv.sync import sync
from tfenv.workflow.lock.solve import solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfenv.facts.database import Database
    from tools.api_agreement.compare import Parameters

PROBE = Path(__file__).with_name("probe.py")
SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What the probe found in a package: kind and parameters by name, and what could not be reached.

    `inner` are the modules that can be imported, but are not shown, and `failed` those that cannot, here.
    """

    version: Version
    symbols: Mapping[str, tuple[str, Parameters]]
    inner: frozenset[str]
    failed: frozenset[str]
    errors: tuple[str, ...]


def walk(
    release: str, python: Version, packages: tuple[str, ...], *, database: Database, cache: Cache
) -> dict[str, Walked]:
    """Install a release of TensorFlow (CPU) and walk through these packages of the environment.

    What lends it parts (`tf.flags` is of absl-py) is installed in the version that the table was read from: newer ones
    have other names.

    Raises:
        TfenvError: it cannot be locked or installed.
        CalledProcessError: a package cannot be imported.
    """
    request = Goal(
        tensorflow=SpecifierSet(f"=={release}"),
        target=replace(Target(), python=python),
        constraints=lenders(Version(release)),
    )
    answer = solve(request, database=database, cache=cache)
    with tempfile.TemporaryDirectory(prefix="tfenv-api-") as folder:
        venv = Path(folder) / "venv"
        # dozens of TensorFlows, kept, would fill the disk
        sync(answer, venv, cache=Cache(Path(folder) / "cache"))
        return {package: probe(interpreter(venv), package, Path(folder) / f"{package}.json") for package in packages}


def lenders(release: Version) -> tuple[Requirement, ...]:
    """The distributions that the table of symbols has a release's parts from."""
    row = next(row for row in symbols.load().api.tensorflow.releases.rows if row.version == release)
    found = []
    for source in row.sources[1:]:
        file = source.partition(" ")[0]
        name, version = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
        found.append(Requirement(name=Name(name), specifier=SpecifierSet(f"=={version}"), source=file))
    return tuple(found)


def probe(python: Path, package: str, output: Path) -> Walked:
    """Walk through a package that this interpreter can import."""
    subprocess.run(
        [str(python), "-I", "-W", "ignore", str(PROBE), package, str(output)],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    document = json.loads(output.read_text(encoding="utf-8"))
    return Walked(
        version=Version(document["version"].replace("-tf", "")),
        symbols={
            name: (kind, None if parameters is None else tuple(parameters))
            for name, (kind, parameters) in document["symbols"].items()
        },
        inner=frozenset(document["inner"]),
        failed=frozenset(document["failed"]),
        errors=tuple(" ".join(error) for error in document["errors"]),
    )
