"""An optimizer from where it is, by what there is."""

import tensorflow as tf

if hasattr(tf, "optimizers"):
    optimizer = tf.optimizers.Adam(0.1)
else:
    optimizer = tf.train.AdamOptimizer(0.1)
assert optimizer
