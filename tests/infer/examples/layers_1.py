"""A dense layer as TensorFlow 1 has it."""

import tensorflow as tf

x = tf.ones([1, 2])
y = tf.layers.dense(x, 1, kernel_initializer=tf.ones_initializer())
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert session.run(y) == 2
