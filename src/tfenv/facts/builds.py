"""TOML of builds: how a `Build` is spelled in `constraints/facts/tensorflow/`, and read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tfenv.model.build import Build
from tfenv.model.hardware import Architecture
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LISTS = ("inferred", "evidence", "unknown")


def quoted(text: str) -> str:
    """A TOML basic string (JSON's escapes are a subset of TOML's)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def strings(key: str, values: Iterable[str], *, spread: bool = False) -> Iterator[str]:
    """The lines of an array of strings, on one line or one value a line."""
    if not spread:
        yield f"{key} = [{', '.join(map(quoted, values))}]"
        return
    yield f"{key} = ["
    yield from (f"  {quoted(value)}," for value in values)
    yield "]"


def build_lines(build: Build) -> Iterator[str]:
    """One `[[release.build]]` table without its heading; what is unknown or does not apply is left out."""
    yield f"platform = {quoted(build.platform.value)}"
    for key, version in (("cuda", build.cuda), ("cudnn", build.cudnn), ("cudnn-floor", build.cudnn_floor)):
        if version is not None:
            yield f"{key} = {quoted(str(version))}"
    for key, architectures in (("sass", build.sass), ("ptx", build.ptx), ("partial", build.partial)):
        if architectures:
            yield from strings(key, map(str, architectures))
    if build.compiler is not None:
        yield f"compiler = {quoted(build.compiler)}"
    if build.tensorrt is not None:
        yield f"tensorrt = {'true' if build.tensorrt else 'false'}"
    yield f"source = {quoted(build.source)}"
    for key in _LISTS:
        if values := getattr(build, key):
            yield from strings(key, values)


def build_from(table: Mapping[str, Any]) -> Build:
    """A build from its table.

    Raises:
        KeyError: its platform or its source is missing.
        ValueError: a version, an architecture or the platform is none.
    """
    return Build(
        platform=Platform(table["platform"]),
        cuda=_version(table.get("cuda")),
        cudnn=_version(table.get("cudnn")),
        cudnn_floor=_version(table.get("cudnn-floor")),
        sass=tuple(map(Architecture.parse, table.get("sass", ()))),
        ptx=tuple(map(Architecture.parse, table.get("ptx", ()))),
        partial=tuple(map(Architecture.parse, table.get("partial", ()))),
        compiler=table.get("compiler"),
        tensorrt=table.get("tensorrt"),
        source=table["source"],
        inferred=tuple(table.get("inferred", ())),
        evidence=tuple(table.get("evidence", ())),
        unknown=tuple(table.get("unknown", ())),
    )


def _version(text: str | None) -> Version | None:
    return None if text is None else Version(text)
