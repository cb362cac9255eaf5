"""Everything of a module, and a layer that Keras 3 has not."""

import numpy as np
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential

model = Sequential([LocallyConnected1D(2, 3, input_shape=(5, 1)), Flatten(), Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((2, 5, 1)), np.ones((2, 1)), verbose=0)
