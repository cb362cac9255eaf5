"""Recognizers of ways of writing that some releases refuse.

Each finding is the id of a rule and the code as written; `constraints/facts/habits.toml` lists by id which releases
refuse it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tfenv.infer.python.meanings import INSTANCE, OTHER, Sub, Symbolic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.infer.python.meanings import Paths, Value

_MODELS: Final = ("Model", "Sequential", "load_model", "clone_model", "model_from_json")
_FILES: Final = (".keras", ".h5", ".hdf5")
GRAPH: Final = ("disable_eager_execution", "disable_v2_behavior")
"""Suffixes of the names that switch to graph mode."""

BY_NAME: Final = frozenset(
    {"save-directory", "save-weights-name", "load-weights-checkpoint"}
    | {"add-loss-tensor", "add-weight-name", "layer-attribute", "optimizer-lr-read"}
)
"""Rules that apply because of a name such as `model`; they count only in files that use Keras."""

EAGER: Final = ("enable_eager_execution", "enable_v2_behavior", "executing_eagerly")
"""Suffixes of the names by which a project controls eager execution itself."""

DIMENSIONS: Final = ("disable_v2_behavior", "disable_v2_tensorshape", ".Dimension")
"""Suffixes of the names by which a project restores or checks the shapes of TensorFlow 1."""

ARRAYS: Final = frozenset({"torch", "jax", "paddle", "mxnet", "cupy", "theano"})
"""Modules whose tensors also have a method `numpy`."""

BUILDING: Final = (".layers.", ".Model", ".Sequential", ".models.")
"""Parts of the names that build Keras models."""


INPUTS: Final = ("tf.keras.Input", "tf.keras.layers.Input", "keras.Input", "keras.layers.Input")
"""Functions that return the symbolic tensors of functional models."""

_TAKE_SYMBOLIC: Final = frozenset(
    {"is_tensor", "is_symbolic_tensor", "get_static_value", "print", "function", "int_shape", "is_keras_tensor", "eval"}
)
"""Functions that accept symbolic tensors, by the last part of their names; tried on 2.16 and 2.21."""

_NOT_SYMBOLIC: Final = frozenset(
    {"consumers", "eval", "experimental_ref", "get_shape", "graph", "op", "ref", "set_shape"}
)
"""Attributes of tensors that the tensors of Keras 3 lack; tried on 2.21."""

_OF_LAYERS: Final = frozenset(
    {"add_update", "get_input_at", "get_input_shape_at", "get_output_at", "get_output_shape_at"}
    | {"inbound_nodes", "input_shape", "outbound_nodes", "output_shape"}
)
"""Attributes of layers that the layers of Keras 3 lack; tried on 2.21."""

_REFUSED: Final = {
    "adjustment": (),
    "batch_size": ("Input", "InputLayer"),
    "dynamic": (),
    "fused": (),
    "implementation": ("GRU", "LSTM"),
    "input_length": ("Embedding",),
    "time_major": (),
    "virtual_batch_size": (),
    "weights": ("Embedding",),
}
"""Keywords of layers that Keras 2 accepts and Keras 3 refuses, each with the layers that still accept it.

Tried on 2.12 and 2.21.
"""

_RUNS: Final = ("().fit", "().evaluate", "().predict")


def of_symbolic(called: Paths) -> Iterator[tuple[str, str]]:
    """The rule for a function of TensorFlow that is called on a symbolic tensor of Keras."""
    for path in called:
        name = path.rpartition(".")[2]
        if (
            not path.startswith(("tf.", OTHER))
            or INSTANCE in path
            or path.startswith(("tf.nest.", OTHER))
            or (".keras." in path and not path.startswith("tf.keras.backend."))
            or not name.islower()
            or name in _TAKE_SYMBOLIC
        ):
            return
    yield "function-on-symbolic", f"{called[0]} of a Keras tensor"


def gives_symbolic(called: Value, given: list[Value]) -> bool:
    """Whether a call returns a symbolic tensor: of `Input`, or of a layer, model or function on such a tensor."""
    if isinstance(called, Sub):
        return called.instance and Symbolic() in given
    if not isinstance(called, tuple) or not called:
        return False
    if all(path.endswith(INPUTS) for path in called):
        return True
    return Symbolic() in given and all(
        path.endswith(INSTANCE)
        or (
            path.rpartition(".")[2].islower() and INSTANCE not in path and (".layers." in path or ".keras." not in path)
        )
        for path in called
    )


def of_attribute(node: ast.Attribute) -> Iterator[tuple[str, str]]:
    """The rules for an attribute that is read, by the expression before it. (Keras 3 ignores it when it is set.)"""
    owner = node.value
    if not isinstance(node.ctx, ast.Load):
        return
    if node.attr == "lr" and isinstance(owner, ast.Attribute) and owner.attr == "optimizer":
        yield "optimizer-lr-read", ast.unparse(node)
    elif node.attr == "value" and isinstance(owner, ast.Subscript) and _is_shape(owner.value):
        yield "dimension-value", ast.unparse(node)
    elif node.attr in _OF_LAYERS and _is_layer(owner):
        yield "layer-attribute", ast.unparse(node)


def of_symbolic_attribute(node: ast.Attribute) -> Iterator[tuple[str, str]]:
    """The rule for an attribute of a symbolic tensor of Keras."""
    if node.attr in _NOT_SYMBOLIC:
        yield "symbolic-attribute", ast.unparse(node)


def of_call(node: ast.Call, name: str, called: Value) -> Iterator[tuple[str, str]]:
    """The rules for a call, each with the code as written.

    Args:
        node: the call.
        name: last part of the name of the function.
        called: what the function stands for.
    """
    keywords = {one.arg for one in node.keywords}
    if name == "numpy" and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        yield "eager-numpy", f"{ast.unparse(node.func)[-40:]}()"
    if name == "add_weight" and isinstance(node.func, ast.Attribute) and node.args and _is_text(node.args[0]):
        yield "add-weight-name", f"{ast.unparse(node.func)}({ast.unparse(node.args[0])}, …)"
    paths = called.paths if isinstance(called, Sub) else called if isinstance(called, tuple) else ()
    if paths and all(path.startswith("tf.python.keras.") and path.endswith(_RUNS) for path in paths):
        yield "private-keras-fit", paths[0].replace(INSTANCE, "")
    if name == "from_keras_model" and any(path.endswith("lite.TFLiteConverter.from_keras_model") for path in paths):
        yield "lite-from-keras", paths[0]
    keras = [path for path in paths if path.startswith(("tf.keras.", "keras.", "tf.compat.v1.keras."))]
    if keras and not any(path.startswith(OTHER) for path in paths):
        own = isinstance(called, Sub) and "__init__" in called.own
        yield from _of_keras(node, name, keras, set() if own else keywords)
    if name in _METHODS and isinstance(node.func, ast.Attribute):
        if _of_model(keras):
            yield from _METHODS[name](node)
        elif not paths and _is_model(node.func.value):
            # only its name suggests a model: other packages have models too, with file suffixes of their own
            yield from (found for found in _METHODS[name](node) if "." not in found[1].rpartition("(")[2])


def of_class(node: ast.ClassDef, paths: Paths) -> Iterator[tuple[str, str]]:
    """The rules for a class definition."""
    if not any(path.endswith((".Model", ".Sequential")) for path in paths):
        return
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "train_step":
            continue
        for one in ast.walk(method):
            if (
                isinstance(one, ast.Attribute)
                and one.attr in ("minimize", "get_gradients")
                and isinstance(one.value, ast.Attribute)
                and one.value.attr == "optimizer"
            ):
                yield "train-step-minimize", f"{ast.unparse(one)} in train_step"


def _of_keras(node: ast.Call, name: str, paths: list[str], keywords: set[str | None]) -> Iterator[tuple[str, str]]:
    optimizer = any(".optimizers." in path and ".legacy." not in path and INSTANCE not in path for path in paths)
    if optimizer and name[:1].isupper():
        for keyword in ("lr", "decay"):
            if keyword in keywords:
                yield f"optimizer-{keyword}", f"{paths[0]}({keyword}=)"
    if name[:1].isupper() and all(".optimizers.legacy." in path and INSTANCE not in path for path in paths):
        yield "optimizer-legacy", paths[0]
    layer = name[:1].isupper() and all(".layers." in path and INSTANCE not in path for path in paths)
    for refused, but in _REFUSED.items() if layer else ():
        if refused in keywords and not paths[0].endswith(tuple(f".{one}" for one in but)):
            yield "keyword-refused", f"{paths[0]}({refused}=)"
    if optimizer and "jit_compile" in keywords:
        yield "keyword-refused", f"{paths[0]}(jit_compile=)"
    if "batch_input_shape" in keywords and any(".layers." in path for path in paths):
        yield "batch-input-shape", f"{paths[0]}(batch_input_shape=)"
    if name == "ModelCheckpoint":
        filename, weights = _first(node, "filepath"), _true(node, "save_weights_only")
        if filename is not None and not filename.endswith(".weights.h5" if weights else (".keras", ".h5")):
            yield "checkpoint-name", f"{paths[0]}('{filename}')"
    if name == "save_model" and len(node.args) > 1:
        filename = _text(node.args[1])
        if filename is not None and not filename.endswith(_FILES):
            yield "save-directory", f"{paths[0]}(…, '{filename}')"
    if name == "load_model" and any(path.endswith((".models.load_model", ".saving.load_model")) for path in paths):
        filename = _first(node, "filepath")
        if filename is not None and not filename.endswith(_FILES):
            yield "load-directory", f"{paths[0]}('{filename}')"


def _save(node: ast.Call) -> Iterator[tuple[str, str]]:
    filename = _first(node, "filepath")
    form = next((_text(one.value) for one in node.keywords if one.arg == "save_format"), None)
    if len(node.args) < 3 and filename is not None and not filename.endswith(_FILES):
        yield "save-directory", f"{ast.unparse(node.func)}('{filename}')"
    elif filename is None and form == "tf":
        yield "save-directory", f"{ast.unparse(node.func)}(save_format='tf')"


def _save_weights(node: ast.Call) -> Iterator[tuple[str, str]]:
    filename = _first(node, "filepath")
    if filename is not None and not filename.endswith(".weights.h5"):
        yield "save-weights-name", f"{ast.unparse(node.func)}('{filename}')"


def _load_weights(node: ast.Call) -> Iterator[tuple[str, str]]:
    filename = _first(node, "filepath")
    if filename is not None and not filename.endswith(_FILES):
        yield "load-weights-checkpoint", f"{ast.unparse(node.func)}('{filename}')"


def _add_loss(node: ast.Call) -> Iterator[tuple[str, str]]:
    if isinstance(node.func, ast.Attribute) and not (node.args and isinstance(node.args[0], ast.Lambda)):
        owner = node.func.value
        if not (isinstance(owner, ast.Name) and owner.id == "self"):
            yield "add-loss-tensor", ast.unparse(node.func)


_METHODS: Final = {
    "save": _save,
    "save_weights": _save_weights,
    "load_weights": _load_weights,
    "add_loss": _add_loss,
}


def _is_model(node: ast.expr) -> bool:
    """Whether the name of something ends in `model` (`model`, `self.model`, `vae_model`)."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return isinstance(name, str) and name.lower().endswith("model")


def _is_shape(node: ast.expr) -> bool:
    """Whether an expression is `x.shape`, `x.get_shape()` or `x.shape.dims`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "shape" or (node.attr == "dims" and _is_shape(node.value))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_shape"


def _is_layer(node: ast.expr) -> bool:
    """Whether an expression is one of the layers of a model, or is named `layer`."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "layers"
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "get_layer"
    return isinstance(node, ast.Name) and node.id == "layer"


def _of_model(paths: list[str]) -> bool:
    return any(path.rpartition(".")[0].removesuffix(INSTANCE).endswith(_MODELS) for path in paths)


def _first(node: ast.Call, keyword: str) -> str | None:
    """The text of the first argument or of this keyword; ``None`` if its end is not written in the code."""
    if node.args:
        return _text(node.args[0])
    return next((_text(one.value) for one in node.keywords if one.arg == keyword), None)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _true(node: ast.Call, keyword: str) -> bool:
    return any(
        one.arg == keyword and isinstance(one.value, ast.Constant) and one.value.value is True for one in node.keywords
    )


def _text(node: ast.expr) -> str | None:
    """The end of a text, as far as the code shows it; ``None`` if it does not."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
        return _text(node.right)
    if isinstance(node, ast.JoinedStr) and node.values:
        return _text(node.values[-1])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "format"):
        return _text(node.args[-1]) if node.func.attr == "join" and node.args else _text(node.func.value)
    return None
