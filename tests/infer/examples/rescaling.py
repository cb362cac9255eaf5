"""Preprocessing while it was an experiment."""

import tensorflow as tf

layer = tf.keras.layers.experimental.preprocessing.Rescaling(0.5)
assert layer(tf.ones([1, 2])).shape[1] == 2
