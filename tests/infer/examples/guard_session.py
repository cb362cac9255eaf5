"""A session where there are sessions, decided inside a function."""

import tensorflow as tf


def total(values):
    if tf.__version__.startswith("1."):
        with tf.Session() as session:
            return session.run(tf.reduce_sum(values))
    return tf.reduce_sum(values).numpy()


assert total([1.0, 2.0]) == 3
