"""A digest of those rows of the facts that an answer depends on.

Rows are hashed as they are parsed: comments, white space and the order of columns do not count, nor do columns that the
answer does not depend on. The order of rows counts, because the first of several matching rows may be used.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import tomli

from tfenv.errors import UsageError
from tfenv.facts.location import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Columns: TypeAlias = "Mapping[str, tuple[str, ...]]"

LOCK: Final[Mapping[str, Columns]] = {
    "companions": {"companion": (), "keras": ()},
    "compile": {"release": ("source",)},
    "cuda": {"compatibility": ("source",), "library": ("source",), "ptx": ("source",), "toolkit": ()},
    "cudnn": {"cudnn": ("source",), "known_bad": ()},
    "distributions": {"distribution": ("source",), "same_files": ("source",)},
    "gpus": {"alias": (), "ambiguous": ("source",), "architecture": (), "family": ("source", "chips")},
    "images": {
        "os": ("source", "python_source"),
        "python": ("source",),
        "cuda": ("source", "cudnn_source"),
    },
    "needs": {"need": ("source",)},
    "patches": {"patch": ()},
    "releases": {"release": ("sources",), "silent": ()},
    "rocm": {"rocm": ()},
    "wheels": {"bundle": (), "proven": (), "same_files": ()},
}
"""Facts that a lock depends on: tables by their name in `Database`, their arrays, and the columns of each array that do
not count. Sources count if a lock or a reason cites them."""

INFER: Final[Mapping[str, Columns]] = {
    "compile": {"release": ("source",)},
    "habits": {"habit": ()},
    "keras": {"release": ("source",)},
    "releases": {"release": ("sources",)},
}
"""Facts that an answer of `infer` depends on, in addition to the symbols."""

_NEVER = ("tier",)
"""Columns about the evidence for a row, which changes no answer."""


def digest(root: Path, tables: Mapping[str, Columns]) -> str:
    """A digest of the rows: 12 hex digits.

    Args:
        root: folder of the facts.
        tables: tables and columns that count.

    Raises:
        UsageError: a file cannot be read.
    """
    found = hashlib.sha256()
    for path, arrays in _files(root, tables):
        try:
            document = tomli.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"`{path}` cannot be read: {error}", hint=remedy(path)) from error
        kept = {key: [_without(row, (*dropped, *_NEVER)) for row in document.get(key, ())] for key, dropped in arrays}
        found.update(json.dumps([path.name, kept], sort_keys=True, default=str).encode())
    return found.hexdigest()[:12]


def stamp(root: Path, tables: Mapping[str, Columns]) -> str:
    """A digest of the bytes of the same files: the key under which the other digest may be cached."""
    found = hashlib.sha256(repr(tables).encode())
    for path, _ in _files(root, tables):
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def _files(root: Path, tables: Mapping[str, Columns]) -> Iterator[tuple[Path, Iterator[tuple[str, tuple[str, ...]]]]]:
    for name, arrays in sorted(tables.items()):
        # the releases are a folder with a file for each minor release
        paths = sorted((root / "tensorflow").glob("*.toml")) if name == "releases" else (root / f"{name}.toml",)
        for path in paths:
            yield path, iter(arrays.items())


def _without(row: Any, dropped: tuple[str, ...]) -> Any:
    """A row without some columns, in nested tables too."""
    if isinstance(row, dict):
        return {key: _without(value, dropped) for key, value in row.items() if key not in dropped}
    return [_without(value, dropped) for value in row] if isinstance(row, list) else row
