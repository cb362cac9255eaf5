"""A Keras model for small devices."""

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
converter = tf.lite.TFLiteConverter.from_keras_model(model)
assert converter.convert()
