"""Make the small models of this folder: run by the Python of an environment, with the folder to fill.

    python make.py FOLDER

One dense layer, 2 to 1, whose weights are all 0.5: `[[1, 3]]` gives 2 + 0.5. Each file is one that `load.py` loads.
It runs on Python 3.7, and on every release since 1.15.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf  # type: ignore[import-untyped]

V1 = tf.compat.v1


def keras(folder: Path) -> None:
    """What Keras writes; archives, and weights of a new kind, since 2.13."""
    layer = tf.keras.layers.Dense(1, name="dense")
    model = tf.keras.Sequential([tf.keras.layers.InputLayer((2,)), layer])
    model.set_weights([one * 0 + 0.5 for one in model.get_weights()])
    model.save(str(folder / "dense.h5"))
    major, minor = (int(one) for one in tf.__version__.split(".")[:2])
    archives = (major, minor) >= (2, 13)
    model.save_weights(str(folder / ("dense.weights.h5" if archives else "weights.h5")))
    if archives:
        model.save(str(folder / "dense.keras"))


class Half(tf.Module):  # type: ignore[misc]
    """The same without Keras."""

    def __init__(self) -> None:
        self.weights = tf.Variable([[0.5], [0.5]])
        self.bias = tf.Variable(0.5)

    def __call__(self, x: Any) -> Any:
        """The layer."""
        return tf.nn.relu(tf.matmul(x, self.weights) + self.bias)


def eager(folder: Path) -> None:
    """Of TensorFlow 2: an object with a function, its checkpoint, its graph frozen, and for TensorFlow Lite."""
    from tensorflow.python.framework.convert_to_constants import (  # type: ignore[import-untyped]
        convert_variables_to_constants_v2,
    )

    half = Half()
    half.serve = tf.function(half.__call__, input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    concrete = half.serve.get_concrete_function()
    tf.saved_model.save(half, str(folder / "module"), signatures=concrete)
    tf.train.Checkpoint(weights=half.weights, bias=half.bias).write(str(folder / "objects"))
    frozen = convert_variables_to_constants_v2(concrete)
    tf.io.write_graph(frozen.graph, str(folder), "frozen.pb", as_text=False)
    lite = tf.lite.TFLiteConverter.from_saved_model(str(folder / "module"))
    (folder / "half.tflite").write_bytes(lite.convert())


def graph(folder: Path, *, all_of_it: bool) -> None:
    """Of TensorFlow 1, and as 2 still writes it: a session and its checkpoint by names; its graph frozen."""
    with tf.Graph().as_default(), V1.Session() as session:
        x = V1.placeholder(tf.float32, [None, 2], name="x")
        weights = V1.get_variable("weights", initializer=[[0.5], [0.5]])
        bias = V1.get_variable("bias", initializer=0.5)
        y = tf.nn.relu(tf.matmul(x, weights) + bias, name="y")
        session.run(V1.global_variables_initializer())
        V1.train.Saver().save(session, str(folder / "names"), write_state=False)
        if all_of_it:
            V1.saved_model.simple_save(session, str(folder / "module"), {"x": x}, {"y": y})
            frozen = V1.graph_util.convert_variables_to_constants(session, session.graph_def, ["y"])
            tf.io.write_graph(frozen, str(folder), "frozen.pb", as_text=False)
            lite = V1.lite.TFLiteConverter.from_session(session, [x], [y])
            (folder / "half.tflite").write_bytes(lite.convert())


def main(folder: Path) -> None:
    """Make all files that this release can make, less what tells nothing."""
    one = tf.__version__.startswith("1.")
    keras(folder)
    graph(folder, all_of_it=one)
    if not one:
        eager(folder)
    shutil.rmtree(str(folder / "module" / "assets"), ignore_errors=True)
    if (folder / "module" / "fingerprint.pb").exists():
        (folder / "module" / "fingerprint.pb").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
