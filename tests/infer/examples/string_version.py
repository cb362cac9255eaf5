"""Versions compared as text."""

import tensorflow as tf

assert tf.__version__ >= "2", "TensorFlow 2 is needed"
assert tf.matmul(tf.ones([1, 2]), tf.ones([2, 1])).numpy() == 2
