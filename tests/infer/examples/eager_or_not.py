"""Eager execution switched on where it has to be."""

import tensorflow as tf

try:
    tf.enable_eager_execution()
except AttributeError:
    pass
assert tf.reduce_sum(tf.ones([2])).numpy() == 2
