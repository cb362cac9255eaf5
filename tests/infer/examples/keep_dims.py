"""Keywords of the first years."""

import tensorflow as tf

x = tf.ones([2, 3])
y = tf.reduce_sum(x, reduction_indices=1, keep_dims=True)
assert y.shape[1] == 1
