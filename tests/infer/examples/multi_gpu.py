"""Several GPUs as Keras did them."""

from tensorflow.keras.utils import multi_gpu_model

assert multi_gpu_model
