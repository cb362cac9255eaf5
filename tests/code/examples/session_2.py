"""The same as a function."""

import tensorflow as tf  # type: ignore[import-untyped]


@tf.function
def double(x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return tf.reduce_sum(x * 2)


assert double(tf.constant([1.0, 2.0])).numpy() == 6
