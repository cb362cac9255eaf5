"""A dataset on disk."""

import tensorflow as tf

tf.data.Dataset.range(3).save("kept")
assert len(list(tf.data.Dataset.load("kept"))) == 3
