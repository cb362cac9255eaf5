"""The shape of what a model is made of."""

import tensorflow as tf

inputs = tf.keras.Input(shape=(4,))
x = tf.keras.layers.Dense(3)(inputs)
assert x.get_shape().as_list() == [None, 3]
