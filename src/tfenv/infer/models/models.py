"""Model files, told apart by what they hold, not by their names."""

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
"""How model files are named."""

_TABLE_END: Final = bytes.fromhex("57fb808b247547db")
"""The last 8 bytes of a `.index` file: the magic number of tensorflow/core/lib/io/format.h, little end first."""

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
"""What the standard library raises for damaged archives."""

_MARKS: Final = frozenset({"keras_version", "backend", "model_config", "layer_names"})
"""Attributes that Keras writes; weights as Keras 2.13 and later write them have none."""


def read(data: memoryview, file: IO[bytes], name: str) -> Artifact | None:
    """Read a model file; ``None`` if it is none.

    Args:
        data: its bytes, of which few are looked at.
        file: the same, open for reading.
        name: of it.

    Raises:
        UsageError: it is a model file, but damaged.
    """
    reader = _reader(data, name)
    if reader is None:
        return None
    try:
        found = _keras(file) if reader is _keras else reader(data)
    except (Damaged, RecursionError) as error:
        raise UsageError(f"`{name}` cannot be read: {error}", hint="is it whole? copy or save it again") from None
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
    raise Damaged("it is not what its name says" if len(data) else "it is empty")


def _keras(file: IO[bytes]) -> Artifact:
    try:
        metadata = json.loads(_metadata(file))
    except Damaged:
        raise
    except (*_FAULTS, RecursionError) as error:
        raise Damaged(f"it is no Keras archive ({str(error) or type(error).__name__})") from None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str):
        raise Damaged("its metadata.json does not tell the version of Keras")
    return Artifact(what="Keras archive (.keras)", keras=version)


def _metadata(file: IO[bytes]) -> bytes:
    _look_at_end(file)
    with zipfile.ZipFile(file) as archive:
        held = archive.getinfo("metadata.json")
        if held.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged("its metadata.json is packed in a way that Keras does not use")
        with archive.open(held) as member:
            return member.read(_LARGEST)


def _look_at_end(file: IO[bytes]) -> None:
    """Refuse a table of contents that would not fit into memory, before it is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_OF_ARCHIVE))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at >= 0 and len(tail) >= at + 16 and int.from_bytes(tail[at + 12 : at + 16], "little") > _LARGEST_TABLE:
        raise Damaged("its table of contents is too large")


def _hdf5(data: memoryview) -> Artifact | None:
    found = hdf5.attributes(data, frozenset({"keras_version", "backend"}))
    if not _MARKS & set(found):
        return None  # some other data
    backend = found.get("backend")
    what = "Keras model (HDF5)" if "model_config" in found else WEIGHTS
    notes = (f"it was saved with the backend {backend}",) if backend and backend != "tensorflow" else ()
    return Artifact(what=what, keras=found.get("keras_version"), notes=notes)


def _checkpoint(data: memoryview) -> Artifact:
    """The index of a checkpoint does not tell who wrote it, only whether by names or by objects."""
    step, at = 2**20, 0
    while at < len(data):
        if _OBJECTS in bytes(data[at : at + step + len(_OBJECTS)]):
            return Artifact(what="checkpoint (of objects)", symbols=("tf.train.Checkpoint",))
        at += step
    return Artifact(what="checkpoint (of names)", symbols=("tf.train.load_checkpoint",))
