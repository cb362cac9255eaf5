"""The number in a dimension, as TensorFlow 1 wraps it."""

import tensorflow as tf

x = tf.ones([2, 3])
width = x.get_shape()[1].value
assert width == 3
assert x.shape[0].value == 2
