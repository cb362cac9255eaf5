"""An optimizer of TensorFlow 1 by way of compat, and its loss."""

import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
w = tf.get_variable("w", shape=[2, 1])
loss = tf.losses.mean_squared_error(tf.ones([1, 1]), tf.matmul(tf.ones([1, 2]), w))
step = tf.train.AdamOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(step)
