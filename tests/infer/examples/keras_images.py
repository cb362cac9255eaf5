"""Images and sequences by the package `keras`."""

from keras.preprocessing.image import img_to_array
from keras.preprocessing.sequence import pad_sequences

assert img_to_array
assert pad_sequences([[1], [1, 2]]).shape == (2, 2)
