"""The learning rate of an optimizer, read by its old name."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K

model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
model.compile(optimizer="adam", loss="mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
K.set_value(model.optimizer.lr, 0.5)
assert K.get_value(model.optimizer.lr) == 0.5
