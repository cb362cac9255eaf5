"""The same as a function."""

import tensorflow as tf  # type: ignore[import-untyped]

double = tf.function(lambda x: tf.reduce_sum(x * 2))
assert double(tf.constant([1.0, 2.0])).numpy() == 6
