"""A graph, fed and run in a session."""

import tensorflow as tf

x = tf.placeholder(tf.float32, [None])
y = tf.reduce_sum(x * 2)
with tf.Session() as session:
    assert session.run(y, feed_dict={x: [1, 2]}) == 6
