"""All seeds at once, and a model for serving."""

import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model(tf.ones([1, 2]))
model.export("served")
