"""The same with Keras."""

import tensorflow as tf

x = tf.ones([1, 2])
y = tf.keras.layers.Dense(1, kernel_initializer="ones")(x)
assert y.numpy() == 2
