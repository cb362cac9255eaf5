"""A Keras model in the clothes of scikit-learn."""

import numpy as np
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.wrappers.scikit_learn import KerasRegressor


def build():
    model = Sequential([Dense(1, input_dim=2)])
    model.compile(loss="mse", optimizer="adam")
    return model


KerasRegressor(build_fn=build, epochs=1, verbose=0).fit(np.ones((4, 2)), np.ones(4))
