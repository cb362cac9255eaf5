"""Flags and the main function of TensorFlow 1."""

import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_integer("steps", 2, "how many")
FLAGS = flags.FLAGS


def main(_):
    tf.logging.set_verbosity(tf.logging.ERROR)
    assert FLAGS.steps == 2


if __name__ == "__main__":
    tf.app.run(main)
