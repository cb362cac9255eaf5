"""Keras 2 by the side of Keras 3."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(1, batch_input_shape=(4, 2))])
model.compile(tf.keras.optimizers.legacy.SGD(lr=0.1), "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
model.save("saved")
