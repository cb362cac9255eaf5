"""Two places for one layer; the oldest releases have neither."""

import numpy as np

try:
    from tensorflow.keras.layers import Normalization
except ImportError:
    from tensorflow.keras.layers.experimental.preprocessing import Normalization

layer = Normalization()
layer.adapt(np.ones((4, 2), "float32"))
