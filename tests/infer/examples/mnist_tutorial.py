"""The reader of the first tutorial."""

from tensorflow.examples.tutorials.mnist import input_data

assert input_data.read_data_sets
