"""Slim as a package of its own."""

import tensorflow.compat.v1 as tf
import tf_slim as slim

tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [1, 2])
with slim.arg_scope([slim.fully_connected], activation_fn=None):
    assert slim.fully_connected(x, 3).shape[1] == 3
