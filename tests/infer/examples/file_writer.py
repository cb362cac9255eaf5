"""Summaries of graphs, and files by the old name."""

import tensorflow as tf

with tf.Session() as session:
    writer = tf.summary.FileWriter("logs", session.graph)
    writer.add_summary(session.run(tf.summary.scalar("loss", tf.constant(0.5))), 1)
assert tf.gfile.Exists("logs")
