"""What a layer gives, by a function of the backend."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K

model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,)), tf.keras.layers.Dense(1)])
first = K.function([model.layers[0].input], [model.layers[0].output])
assert first([np.ones((1, 3), "float32")])[0].shape == (1, 2)
