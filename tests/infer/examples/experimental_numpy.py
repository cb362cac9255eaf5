"""NumPy as TensorFlow does it."""

import tensorflow.experimental.numpy as tnp

x = tnp.ones((2, 3))
assert float(tnp.sum(x)) == 6
