"""Operators, indices and a lambda on what a model is made of."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K

a = tf.keras.Input(shape=(4,))
b = tf.keras.Input(shape=(4,))
x = tf.keras.layers.Lambda(lambda x: K.mean(x, axis=1, keepdims=True), output_shape=(1,))(a * 2 + b)
model = tf.keras.Model([a, b], x)
assert model.predict([np.ones((1, 4)), np.ones((1, 4))]).shape == (1, 1)
