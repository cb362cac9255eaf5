"""A function made constant."""

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
full = tf.function(lambda x: model(x)).get_concrete_function(tf.TensorSpec([None, 2], tf.float32))
assert convert_variables_to_constants_v2(full).graph.as_graph_def().node
