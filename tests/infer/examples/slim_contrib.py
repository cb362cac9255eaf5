"""Slim as it came with TensorFlow 1."""

import tensorflow as tf
import tensorflow.contrib.slim as slim

x = tf.ones([1, 2])
with slim.arg_scope([slim.fully_connected], activation_fn=None):
    assert slim.fully_connected(x, 3).shape[1] == 3
