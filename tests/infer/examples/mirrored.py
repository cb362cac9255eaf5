"""A strategy for one machine, and what it builds."""

import tensorflow as tf

strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
with strategy.scope():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile(loss="mse", optimizer=tf.keras.optimizers.SGD(0.1))
assert strategy.num_replicas_in_sync == 1
