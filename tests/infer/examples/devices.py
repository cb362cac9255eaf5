"""Memory of GPUs as it is needed."""

import tensorflow as tf

gpus = tf.config.list_physical_devices("GPU")
for gpu in gpus:
    tf.config.experimental.set_memory_growth(gpu, True)
assert tf.data.AUTOTUNE == -1
