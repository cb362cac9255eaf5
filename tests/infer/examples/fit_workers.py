"""Training with workers."""

import numpy as np
import tensorflow as tf


class Batches(tf.keras.utils.Sequence):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 2)), np.ones((4, 1))


model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(Batches(), epochs=1, verbose=0, workers=2, use_multiprocessing=False)
