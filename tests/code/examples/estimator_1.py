"""A linear classifier as an estimator."""

import tensorflow as tf  # type: ignore[import-untyped]


def data():  # type: ignore[no-untyped-def]  # noqa: ANN201
    return tf.data.Dataset.from_tensor_slices(({"x": [[0.0], [1.0]]}, [[0], [1]])).repeat(50).batch(2)


classifier = tf.estimator.LinearClassifier([tf.feature_column.numeric_column("x")])
classifier.train(data, steps=50)
assert "accuracy" in classifier.evaluate(data, steps=1)
