"""Features by columns, dense by Keras."""

import tensorflow as tf

columns = [tf.feature_column.numeric_column("x")]
layer = tf.keras.layers.DenseFeatures(columns)
assert layer({"x": tf.ones([2, 1])}).shape[1] == 1
