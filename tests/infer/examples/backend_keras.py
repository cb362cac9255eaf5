"""The backend of Keras by itself."""

import numpy as np
from keras import backend as K
from keras.layers import Dense
from keras.models import Sequential


def loss(y_true, y_pred):
    return K.mean(K.square(y_pred - y_true), axis=-1)


model = Sequential([Dense(1, input_shape=(2,))])
model.compile("sgd", loss)
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
