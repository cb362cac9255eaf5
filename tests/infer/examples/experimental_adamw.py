"""The optimizers before they were the optimizers."""

import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.experimental.Adam(1e-3), loss="mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
