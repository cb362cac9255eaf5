"""TensorFlow as the database has it, among what an index held of the projects around it on the day of the recording."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.memory import MemorySource, file_of
from tfenv.facts.database import Database, load
from tfenv.model.package import TENSORFLOW
from tfenv.model.target import Platform
from tfenv.overlay.overlay import CPU, GPU, FactsOverlay

if TYPE_CHECKING:
    from tfenv.model.goal import Goal

RECORDED = Path(__file__).parent.parent / "resolver" / "published.json"


@cache
def database() -> Database:
    """The facts that come with tfenv."""
    return load()


@cache
def index(platform: Platform) -> MemorySource:
    """All of it as one index in memory; off Linux on x86-64 other projects are taken to have wheels for everything."""
    rows: list[dict[str, Any]] = []
    for row in json.loads(RECORDED.read_text(encoding="utf-8")):
        if platform is Platform.LINUX_X86_64:
            rows += [{**row, "file": name} for name in row["files"]]
        else:
            file = file_of(row["files"][0])
            rows.append({**row, "file": f"{file.name.replace('-', '_')}-{file.version}-py3-none-any.whl"})
    for stem in database().releases.minors:
        for version in database().releases.versions_of(stem):
            for name in (TENSORFLOW, CPU, GPU):
                facts = database().releases.release(name, version)
                for wheel in facts.wheels if facts is not None else ():
                    rows.append(
                        {
                            "file": wheel.filename,
                            "requires": wheel.requires_dist or (),
                            "requires_python": wheel.requires_python,
                            "yanked": wheel.yanked,
                            "extras": ["and-cuda"] if "and-cuda" in str(wheel.requires_dist) else [],
                        }
                    )
    return MemorySource(rows)


def world(request: Goal) -> FactsOverlay:
    """What holds for a request: that index, and the facts for its target."""
    return FactsOverlay(index(request.target.platform.wheels), database(), request.target, keras=request.keras)
