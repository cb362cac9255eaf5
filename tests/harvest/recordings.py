"""Recorded members of published wheels, and a reader over them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tfenv.model.package import File, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECORDED = Path(__file__).parent / "recorded"
_LISTED = json.loads((RECORDED / "files.json").read_text(encoding="utf-8"))


def file_of(filename: str, *, sha256: str = "", size: int | None = None) -> File:
    """What an index says of a wheel: as recorded, or made up if it is none of the recorded ones."""
    name, version, _, tags = parse_wheel_filename(filename)
    told = _LISTED.get(filename, {"size": size, "sha256": sha256 or "0" * 64, "upload_time": "2024-01-01T00:00:00Z"})
    return File(
        name=normalize(name),
        version=version,
        filename=filename,
        url=f"https://files.test/{filename}",
        sha256=told["sha256"],
        size=told["size"],
        upload_time=datetime.fromisoformat(told["upload_time"]),
        tags=tags,
        index="https://index.test/simple/",
    )


def recorded(start: str) -> File:
    """The one recorded wheel whose filename starts so."""
    (filename,) = (filename for filename in _LISTED if filename.startswith(start))
    return file_of(filename)


def members_of(filename: str) -> dict[str, bytes]:
    """The recorded members of a wheel."""
    root = RECORDED / filename
    return {path.relative_to(root).as_posix().removesuffix(".txt"): path.read_bytes() for path in root.rglob("*.txt")}


class Shelf:
    """A reader of recorded wheels, and of others that are handed in; remembers what it was asked for."""

    def __init__(self, others: Mapping[str, Mapping[str, bytes]] | None = None) -> None:
        self.others = others or {}
        self.asked: list[str] = []

    async def __call__(self, file: File, wanted: Callable[[str], bool], /) -> Mapping[str, bytes]:
        self.asked.append(file.filename)
        members = self.others.get(file.filename) or members_of(file.filename)
        return {name: data for name, data in members.items() if wanted(name)}
