"""Layers by the modules that they are written in."""

from keras.layers.core import Dense
from keras.layers.merge import concatenate
from keras.models import Sequential

assert concatenate
assert Sequential([Dense(1)])
