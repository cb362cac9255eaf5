"""A metric set back."""

import tensorflow as tf

mean = tf.keras.metrics.Mean()
mean.update_state([1.0, 3.0])
assert mean.result().numpy() == 2
mean.reset_states()
