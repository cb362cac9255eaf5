"""The real thing: a release installed as tfenv locks it, imported, and walked by the probe."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.index.cache import Cache
from tfenv.model.request import Request
from tfenv.model.target import Target
from tfenv.workflow.lock import lock
from tfenv.workflow.smoke import interpreter
from tfenv.workflow.sync import sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.api_agreement.compare import Parameters
    from tfenv.facts.database import Database

PROBE = Path(__file__).with_name("probe.py")
SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What the probe found in a package: kind and parameters by name, and what could not be reached."""

    version: Version
    symbols: Mapping[str, tuple[str, Parameters]]
    errors: tuple[str, ...]


def walk(
    release: str, python: Version, packages: tuple[str, ...], *, database: Database, cache: Cache
) -> dict[str, Walked]:
    """Install a release of TensorFlow (CPU) and walk through these packages of the environment.

    Raises:
        TfenvError: it cannot be locked or installed.
        CalledProcessError: a package cannot be imported.
    """
    request = Request(tensorflow=SpecifierSet(f"=={release}"), target=replace(Target(), python=python))
    answer = lock(request, database=database, cache=cache)
    with tempfile.TemporaryDirectory(prefix="tfenv-api-") as folder:
        venv = Path(folder) / "venv"
        # dozens of TensorFlows, kept, would fill the disk
        sync(answer, venv, cache=Cache(Path(folder) / "cache"))
        return {package: probe(interpreter(venv), package, Path(folder) / f"{package}.json") for package in packages}


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
        errors=tuple(" ".join(error) for error in document["errors"]),
    )
