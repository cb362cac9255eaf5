"""What Keras 3 brought."""

import keras
from keras import ops

assert ops.shape(ops.softmax(ops.ones((2, 3)))) == (2, 3)
assert keras.backend.backend() == "tensorflow"
