"""Model files, recognized by content rather than by name."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final

from tfenv.errors import UsageError
from tfenv.infer.models import graphs, hdf5, tflite
from tfenv.infer.models.artifact import WEIGHTS, Artifact
from tfenv.infer.models.wire import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIXES: Final = (".pb", ".keras", ".h5", ".hdf5", ".tflite", ".meta", ".index")
"""Suffixes of model files."""

_TABLE_END: Final = bytes.fromhex("57fb808b247547db")
"""The last 8 bytes of a `.index` file: the magic number of tensorflow/core/lib/io/format.h, little-endian."""

_OBJECTS: Final = b"_CHECKPOINTABLE_OBJECT_GRAPH"
_LARGEST: Final = 2**20
_LARGEST_TABLE: Final = 2**24
_END_OF_ARCHIVE: Final = 2**16 + 22
_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""Exceptions of the standard library for damaged archives."""

_MARKS: Final = frozenset({"keras_version", "backend", "model_config", "layer_names"})
"""Attributes that Keras writes; the weights files of Keras 2.13 and later have none of them."""


def read(data: memoryview, file: IO[bytes], name: str) -> Artifact | None:
    """Read a model file; ``None`` if it is not one.

    Args:
        data: bytes of the file, of which few are read.
        file: the same file, open for reading.
        name: name of the file, for messages.

    Raises:
        UsageError: the file is a damaged model file.
    """
    reader = _reader(data, name)
    if reader is None:
        return None
    try:
        found = _keras(file) if reader is _keras else reader(data)
    except (Damaged, RecursionError) as error:
        raise UsageError(
            f"`{name}` cannot be read: {error}", hint="the file may be incomplete: copy it or save the model again"
        ) from None
    if found is None and name.endswith(".weights.h5"):
        found = Artifact(what=WEIGHTS)
    return None if found is None else replace(found, file=name)


def _reader(data: memoryview, name: str) -> Callable[..., Artifact | None] | None:
    head = bytes(data[:8])
    if head == hdf5.SIGNATURE:
        return _hdf5
    if head[4:8] == tflite.IDENTIFIER:
        return tflite.read
    if name.endswith(".keras"):
        return _keras
    if bytes(data[-8:]) == _TABLE_END:
        return _checkpoint
    if name.endswith("saved_model.pb"):
        return graphs.saved_model
    if name.endswith(".pb"):
        return graphs.graph
    if name.endswith(".meta"):
        return graphs.meta_graph
    if name.endswith((".tflite", ".h5", ".hdf5", ".index")):
        return _none
    return None


def _none(data: memoryview) -> Artifact:
    raise Damaged("its content does not match its name" if len(data) else "it is empty")


def _keras(file: IO[bytes]) -> Artifact:
    try:
        metadata = json.loads(_metadata(file))
    except Damaged:
        raise
    except (*_FAULTS, RecursionError) as error:
        raise Damaged(f"it is not a Keras archive ({str(error) or type(error).__name__})") from None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str):
        raise Damaged("its metadata.json does not record the version of Keras")
    return Artifact(what="Keras archive (.keras)", keras=version)


def _metadata(file: IO[bytes]) -> bytes:
    _look_at_end(file)
    with zipfile.ZipFile(file) as archive:
        held = archive.getinfo("metadata.json")
        if held.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged("its metadata.json uses a compression that Keras does not use")
        with archive.open(held) as member:
            return member.read(_LARGEST)


def _look_at_end(file: IO[bytes]) -> None:
    """Refuse a table of contents that is too large for memory before it is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_OF_ARCHIVE))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at >= 0 and len(tail) >= at + 16 and int.from_bytes(tail[at + 12 : at + 16], "little") > _LARGEST_TABLE:
        raise Damaged("its table of contents is too large")


def _hdf5(data: memoryview) -> Artifact | None:
    found = hdf5.attributes(data, frozenset({"keras_version", "backend"}))
    if not _MARKS & set(found):
        return None  # not written by Keras
    backend = found.get("backend")
    what = "Keras model (HDF5)" if "model_config" in found else WEIGHTS
    notes = (f"saved with the backend {backend}",) if backend and backend != "tensorflow" else ()
    return Artifact(what=what, keras=found.get("keras_version"), notes=notes)


def _checkpoint(data: memoryview) -> Artifact:
    """The index of a checkpoint does not record who wrote it, only whether it saves names or objects."""
    step, at = 2**20, 0
    while at < len(data):
        if _OBJECTS in bytes(data[at : at + step + len(_OBJECTS)]):
            return Artifact(what="checkpoint (of objects)", symbols=("tf.train.Checkpoint",))
        at += step
    return Artifact(what="checkpoint (of names)", symbols=("tf.train.load_checkpoint",))
