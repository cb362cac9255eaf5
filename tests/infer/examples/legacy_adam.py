"""The optimizers that were left behind in Keras 2.11."""

import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.legacy.Adam(learning_rate=1e-3), loss="mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
