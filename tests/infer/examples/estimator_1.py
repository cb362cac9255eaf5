"""A linear classifier as an estimator."""

import tensorflow as tf


def data():
    return tf.data.Dataset.from_tensor_slices(({"x": [[0.0], [1.0]]}, [[0], [1]])).repeat(50).batch(2)


classifier = tf.estimator.LinearClassifier([tf.feature_column.numeric_column("x")])
classifier.train(data, steps=50)
assert "accuracy" in classifier.evaluate(data, steps=1)
