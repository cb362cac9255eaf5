"""Graphs as TensorFlow writes them: SavedModel, the `.meta` of a checkpoint, a frozen GraphDef.

Field numbers: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saved_object_graph.proto, and
tensorflow/core/framework/graph.proto, function.proto, node_def.proto of https://github.com/tensorflow/tensorflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from tfenv.infer.models.artifact import Artifact
from tfenv.infer.models.wire import Damaged, fields, messages, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 20_000
Ops: TypeAlias = dict[str, set[str]]
"""Names of ops, each with the names of its attributes."""


def saved_model(data: memoryview) -> Artifact:
    """Read `saved_model.pb`.

    Raises:
        Damaged: the bytes are not a SavedModel, or are truncated.
    """
    by, ops, keras, found = None, Ops(), False, False
    for graph in messages(data, 2):
        found = True
        by = _meta_graph(graph, ops) or by
        keras = keras or any(b"_tf_keras_" in bytes(one[:64]) for one in _identifiers(graph))
    if not found:
        raise Damaged("it contains no graph")
    return Artifact(what="SavedModel", saved_by=by, ops=_sorted(ops), of_keras=keras)


def meta_graph(data: memoryview) -> Artifact:
    """Read the `.meta` file of a checkpoint. Errors as for `saved_model`."""
    ops = Ops()
    version = _meta_graph(data, ops)
    if version is None and not ops:
        raise Damaged("it contains no graph")
    return Artifact(what="graph of a checkpoint (.meta)", saved_by=version, ops=_sorted(ops))


def graph(data: memoryview) -> Artifact:
    """Read a frozen GraphDef (`.pb`). Errors as for `saved_model`."""
    ops = Ops()
    _graph(data, ops)
    if not ops or not all(one.replace(">", "").replace("_", "").isalnum() for one in ops):
        raise Damaged("it contains no graph")
    return Artifact(what="GraphDef", ops=_sorted(ops))


def _meta_graph(data: memoryview, ops: Ops) -> str | None:
    version = None
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            version = text(value, 5)
        elif number == 2:
            _graph(value, ops)
    return version


def _identifiers(data: memoryview) -> Iterator[memoryview]:
    """The names that the objects of a SavedModel give to their kind (`_tf_keras_model`)."""
    for objects in messages(data, 7):
        for node in messages(objects, 1):
            for user in messages(node, 4):
                yield from messages(user, 1)


def _graph(data: memoryview, ops: Ops) -> None:
    """Add the ops of a graph and of its functions, but not the functions themselves."""
    own = {""}
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            _node(value, ops)
        elif number == 2:
            for function in messages(value, 1):
                for signature in messages(function, 1):
                    own.add(text(signature, 1) or "")
                for node in messages(function, 3):
                    _node(node, ops)
        if len(ops) > _MOST or len(own) > _MOST:
            raise Damaged(f"it names more than {_MOST} ops")
    for name in own:
        ops.pop(name, None)


def _node(data: memoryview, ops: Ops) -> None:
    attributes = ops.setdefault(text(data, 2) or "", set())
    for entry in messages(data, 5):
        name = text(entry, 1) or ""
        if name[:1].isalpha():  # names that begin with `_` are hints
            attributes.add(name)
    if len(attributes) > _MOST:
        raise Damaged(f"an op has more than {_MOST} attributes")


def _sorted(ops: Ops) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((name, tuple(sorted(attributes))) for name, attributes in ops.items()))
