"""Keras by way of compat."""

import tensorflow.compat.v1 as tf

assert tf.keras.layers.Dense(2)(tf.ones([1, 3])).shape[1] == 2
