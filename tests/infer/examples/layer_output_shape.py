"""What shape a layer gives."""

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
assert model.layers[0].output_shape == (None, 2)
