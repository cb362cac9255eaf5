"""One column a class, where it is now."""

from keras.utils import to_categorical

assert to_categorical([0, 1]).shape == (2, 2)
