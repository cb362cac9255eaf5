"""A loss for each sample."""

import tensorflow as tf

loss = tf.keras.losses.BinaryCrossentropy(from_logits=True, reduction=tf.keras.losses.Reduction.NONE)
assert loss(tf.ones([3, 1]), tf.zeros([3, 1])).shape[0] == 3
