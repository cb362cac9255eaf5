"""Builds as TOML: how a `Build` is written to `constraints/facts/tensorflow/` and read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tfenv.model.builds import Build, Kernels, Xla
from tfenv.model.document import flag, of, one_of
from tfenv.model.hardware import Architecture
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    """One `[[release.build]]` table without its heading; fields that are unknown or do not apply are omitted."""
    yield f"platform = {quoted(build.platform.value)}"
    for key, version in (("cuda", build.cuda), ("cudnn", build.cudnn), ("cudnn-floor", build.cudnn_floor)):
        if version is not None:
            yield f"{key} = {quoted(str(version))}"
    for key, architectures in (("sass", build.sass), ("ptx", build.ptx), ("partial", build.partial)):
        if architectures:
            yield from strings(key, map(str, architectures))
    if build.kernels:
        yield "kernels = ["
        yield from (f"  {_inline(_kernels(kind))}," for kind in build.kernels)
        yield "]"
    if build.xla is not None:
        yield f"xla = {_inline(_xla(build.xla))}"
    if build.xla_newest is not None:
        yield f"xla-newest = {quoted(str(build.xla_newest))}"
    if build.raised:
        yield from strings("raised", map(str, build.raised))
    if build.compiler is not None:
        yield f"compiler = {quoted(build.compiler)}"
    if build.tensorrt is not None:
        yield f"tensorrt = {'true' if build.tensorrt else 'false'}"
    yield f"source = {quoted(build.source)}"
    for key in _LISTS:
        if values := getattr(build, key):
            yield from strings(key, values)


def build_from(row: Row) -> Build:
    """A build from its table; errors in it become faults of the row."""
    return Build(
        platform=row.need("platform", one_of(Platform)),
        cuda=row.maybe_version("cuda"),
        cudnn=row.maybe_version("cudnn"),
        cudnn_floor=row.maybe_version("cudnn-floor"),
        sass=row.architectures("sass"),
        ptx=row.architectures("ptx"),
        partial=row.architectures("partial"),
        kernels=row.rows("kernels", _kernels_from),
        xla=_xla_from(row.table("xla")) if "xla" in row else None,
        xla_newest=row.get("xla-newest", of(Architecture.parse)),
        raised=row.architectures("raised"),
        compiler=row.maybe_text("compiler"),
        tensorrt=row.get("tensorrt", flag),
        source=row.text("source"),
        inferred=row.texts("inferred"),
        evidence=row.texts("evidence"),
        unknown=row.texts("unknown"),
    )


def _kernels(kind: Kernels) -> dict[str, object]:
    found: dict[str, object] = {"count": kind.count, "sass": kind.sass, "ptx": kind.ptx}
    return found if kind.isa is None else {**found, "isa": kind.isa}


def _kernels_from(row: Row) -> Kernels:
    return Kernels(
        count=row.number("count"),
        sass=row.architectures("sass"),
        ptx=row.architectures("ptx"),
        isa=row.maybe_version("isa"),
    )


def _xla(xla: Xla) -> dict[str, object]:
    return {"ptx": xla.ptx, "targets": xla.targets, "checks": xla.checks, "follows": xla.follows}


def _xla_from(row: Row) -> Xla:
    xla = Xla(
        ptx=row.version("ptx"),
        targets=row.architectures("targets"),
        checks=row.need("checks", flag),
        follows=row.need("follows", flag),
    )
    row.close()
    return xla


def _inline(table: Mapping[str, object]) -> str:
    """An inline table of TOML."""

    def spelled(value: object) -> str:
        if isinstance(value, tuple):
            return f"[{', '.join(quoted(str(each)) for each in value)}]"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else quoted(str(value))

    return f"{{{', '.join(f'{key} = {spelled(value)}' for key, value in table.items())}}}"
