"""The same by way of compat, with a name of its own."""

import tensorflow.compat.v1 as tf1

FLAGS = tf1.flags.FLAGS
tf1.flags.DEFINE_string("folder", "a", "where")


def main(_):
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    assert FLAGS.folder == "a"


if __name__ == "__main__":
    tf1.app.run(main)
