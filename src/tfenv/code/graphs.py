"""Graphs as TensorFlow writes them: SavedModel, the `.meta` of a checkpoint, a frozen GraphDef.

Numbers of fields: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saved_object_graph.proto, and
tensorflow/core/framework/graph.proto, function.proto, node_def.proto of https://github.com/tensorflow/tensorflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfenv.code.artifact import Artifact
from tfenv.code.wire import Damaged, fields, messages, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPS: Final = 1_000_000


def saved_model(data: memoryview) -> Artifact:
    """Read `saved_model.pb`.

    Raises:
        Damaged: it is none, or it is cut.
    """
    by, ops, keras, found = None, set[str](), False, False
    for graph in messages(data, 2):
        found = True
        version, names = _meta_graph(graph)
        by = version or by
        ops |= names
        keras = keras or any(b"_tf_keras_" in bytes(one[:64]) for one in _identifiers(graph))
    if not found:
        raise Damaged("it holds no graph")
    return Artifact(what="SavedModel", saved_by=by, ops=frozenset(ops), of_keras=keras)


def meta_graph(data: memoryview) -> Artifact:
    """Read the `.meta` file of a checkpoint. Errors as for `saved_model`."""
    version, ops = _meta_graph(data)
    if version is None and not ops:
        raise Damaged("it holds no graph")
    return Artifact(what="graph of a checkpoint (.meta)", saved_by=version, ops=frozenset(ops))


def graph(data: memoryview) -> Artifact:
    """Read a frozen GraphDef (`.pb`). Errors as for `saved_model`."""
    ops = set(_ops(data))
    if not ops or not all(one.replace(">", "").replace("_", "").isalnum() for one in ops):
        raise Damaged("it holds no graph")
    return Artifact(what="GraphDef", ops=frozenset(ops))


def _meta_graph(data: memoryview) -> tuple[str | None, set[str]]:
    version, ops = None, set[str]()
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            version = text(value, 5)
        elif number == 2:
            ops |= set(_ops(value))
    return version, ops


def _identifiers(data: memoryview) -> Iterator[memoryview]:
    """What the objects of a SavedModel call their kind (`_tf_keras_model`)."""
    for objects in messages(data, 7):
        for node in messages(objects, 1):
            for user in messages(node, 4):
                yield from messages(user, 1)


def _ops(data: memoryview) -> Iterator[str]:
    """The ops of a graph and of its functions, less its functions themselves."""
    called: set[str] = set()
    own: set[str] = set()
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            called.add(_op(value))
        elif number == 2:
            for function in messages(value, 1):
                for signature in messages(function, 1):
                    own.add(text(signature, 1) or "")
                called.update(_op(node) for node in messages(function, 3))
        if len(called) > _OPS:
            raise Damaged(f"it names more than {_OPS} ops")
    yield from called - own - {""}


def _op(node: memoryview) -> str:
    return text(node, 2) or ""
