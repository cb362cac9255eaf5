"""Python 2."""

import tensorflow as tf

print "loss", tf.constant(1.0)
