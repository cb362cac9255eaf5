"""TOML of builds: how a `Build` is spelled in `constraints/facts/tensorflow/`, and read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tfenv.model.build import Build
from tfenv.model.document import flag, one_of
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfenv.facts.rows import Row

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


def build_from(row: Row) -> Build:
    """A build from its table; what is wrong in it becomes a fault of the row."""
    return Build(
        platform=row.need("platform", one_of(Platform)),
        cuda=row.maybe_version("cuda"),
        cudnn=row.maybe_version("cudnn"),
        cudnn_floor=row.maybe_version("cudnn-floor"),
        sass=row.architectures("sass"),
        ptx=row.architectures("ptx"),
        partial=row.architectures("partial"),
        compiler=row.maybe_text("compiler"),
        tensorrt=row.get("tensorrt", flag),
        source=row.text("source"),
        inferred=row.texts("inferred"),
        evidence=row.texts("evidence"),
        unknown=row.texts("unknown"),
    )
