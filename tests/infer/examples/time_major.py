"""Time first."""

import tensorflow as tf

assert tf.keras.layers.LSTM(2, time_major=True)(tf.ones([3, 1, 2])).shape[1] == 2
