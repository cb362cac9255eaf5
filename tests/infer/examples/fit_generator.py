"""Training on a generator, and a learning rate by its old name."""

import numpy as np
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import SGD


def batches():
    while True:
        yield np.ones((4, 2)), np.ones((4, 1))


model = Sequential([Dense(1, input_shape=(2,))])
model.compile(SGD(lr=0.1), "mse")
model.fit_generator(batches(), steps_per_epoch=2, epochs=1, verbose=0)
