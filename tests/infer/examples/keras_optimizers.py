"""Optimizers of the package `keras`."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam

model = Sequential([Dense(1, input_dim=2)])
model.compile(Adam(learning_rate=0.1), "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
