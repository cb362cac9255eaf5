"""Load models: run by the Python of an environment, with a folder of models; tells as JSON what came of each file.

    python load.py FOLDER

It runs on Python 3.7, and on every release since 1.15.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # type: ignore[import-not-found]
import tensorflow as tf  # type: ignore[import-untyped]

V1 = tf.compat.v1
X = np.array([[1.0, 3.0]], "float32")
ONE = tf.__version__.startswith("1.")


def saved_model(path: str) -> Any:
    """`tf.saved_model.load`, and in 1.x the loader of sessions."""
    if not ONE:
        (found,) = tf.saved_model.load(path).signatures["serving_default"](x=tf.constant(X)).values()
        return found
    with tf.Graph().as_default(), V1.Session() as session:
        held = V1.saved_model.load(session, ["serve"], path).signature_def["serving_default"]
        (output,) = [one.name for one in held.outputs.values()]
        (given,) = [one.name for one in held.inputs.values()]
        return session.run(output, {given: X})


def frozen(path: str) -> Any:
    """A frozen graph: `x` to its last op."""
    definition = V1.GraphDef()
    definition.ParseFromString(Path(path).read_bytes())
    with tf.Graph().as_default() as graph, V1.Session() as session:
        tf.import_graph_def(definition, name="")
        last = [one for one in graph.get_operations() if one.outputs][-1]
        return session.run(last.outputs[0], {"x:0": X})


def keras(path: str) -> Any:
    """A whole model of Keras."""
    return tf.keras.models.load_model(path).predict(X)


def weights(path: str) -> Any:
    """Weights of Keras, into a model that is made here."""
    layer = tf.keras.layers.Dense(1, name="dense")
    model = tf.keras.Sequential([tf.keras.layers.InputLayer((2,)), layer])
    model.load_weights(path)
    return model.predict(X)


def names(path: str) -> Any:
    """A graph with its checkpoint by names."""
    with tf.Graph().as_default(), V1.Session() as session:
        V1.train.import_meta_graph(path).restore(session, path[: -len(".meta")])
        return session.run("y:0", {"x:0": X})


def objects(path: str) -> Any:
    """A checkpoint of objects, into variables that are made here."""
    held = tf.Variable([[0.0], [0.0]]), tf.Variable(0.0)
    tf.train.Checkpoint(weights=held[0], bias=held[1]).read(path[: -len(".index")]).assert_consumed()
    return tf.matmul(tf.constant(X), held[0]) + held[1]


def lite(path: str) -> Any:
    """A model of TensorFlow Lite."""
    interpreter = tf.lite.Interpreter(path)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], X)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


LOADERS = {
    "module": saved_model,
    "frozen.pb": frozen,
    "dense.h5": keras,
    "dense.keras": keras,
    "dense.weights.h5": weights,
    "weights.h5": weights,
    "names.meta": names,
    "objects.index": objects,
    "half.tflite": lite,
}


def main(folder: Path) -> dict[str, str]:
    """What came of each file: `loaded` if it gives what it should."""
    told = {}
    for name, load in LOADERS.items():
        if (folder / name).exists():
            try:
                found = float(np.array(load(str(folder / name))).reshape(-1)[0])
                told[name] = "loaded" if found == 2.5 else f"gave {found}"
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                told[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
