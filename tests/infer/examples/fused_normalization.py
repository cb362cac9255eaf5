"""A keyword about how it is computed."""

import tensorflow as tf

assert tf.keras.layers.BatchNormalization(fused=True)(tf.ones([1, 2, 2, 1])).shape[3] == 1
