"""Metadata in the form of the cache: the fields that matter, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from tfenv.index.lenient import requirements, specifier
from tfenv.model.package import Metadata

if TYPE_CHECKING:
    from tfenv.model.package import File
    from tfenv.store.cache import Cache


def key(file: File) -> str:
    """The key of a file's metadata in the cache: of one index, which could give another's file wrong metadata."""
    return f"metadata {file.index} {file.sha256 or file.url}"


def kept(file: File, cache: Cache) -> Metadata | None:
    """The metadata of a file from the cache; ``None`` if it is not there."""
    document = cache.document(key(file))
    if document is None or not document.keys() >= {"requires", "requires_python", "extras", "dynamic"}:
        return None
    return metadata_of(file, document)


def metadata_of(file: File, document: dict[str, Any]) -> Metadata:
    """The metadata in a document."""
    return Metadata(
        name=file.name,
        version=file.version,
        requires_python=specifier(document["requires_python"]) if document["requires_python"] else None,
        requires=requirements(document["requires"], source=file.filename),
        extras=frozenset(canonicalize_name(extra) for extra in document["extras"]),
        dynamic=document["dynamic"],
        source=file.filename,
    )
