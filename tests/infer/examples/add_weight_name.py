"""A layer whose weights have names, in first place as Keras 2 has them."""

import tensorflow as tf


class Scale(tf.keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight("scale", shape=[int(input_shape[-1])], initializer="ones")

    def call(self, inputs):
        return inputs * self.scale


assert Scale()(tf.ones([1, 2])).shape[1] == 2
