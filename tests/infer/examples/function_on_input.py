"""A function of TensorFlow on what goes into a Keras model."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Input

inputs = Input(shape=(4,))
outputs = Dense(1)(tf.nn.l2_normalize(inputs, axis=-1))
model = tf.keras.Model(inputs, outputs)
assert model.predict(np.ones((1, 4))).shape == (1, 1)
