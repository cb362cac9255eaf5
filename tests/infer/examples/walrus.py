"""Python 3.8."""

import tensorflow as tf

if (n := int(tf.ones([3]).shape[0])) > 2:
    print(f"{n=}")
