"""Python 3.10."""

import tensorflow as tf


def activation(name):
    match name:
        case "relu":
            return tf.nn.relu
        case _:
            return tf.identity


assert activation("relu")(tf.constant([-1.0])).shape[0] == 1
