"""Losses scaled for half precision, in a loop of one's own."""

import tensorflow as tf

optimizer = tf.keras.mixed_precision.LossScaleOptimizer(tf.keras.optimizers.SGD(0.1))
w = tf.Variable(1.0)
with tf.GradientTape() as tape:
    loss = optimizer.get_scaled_loss(w * w)
gradients = optimizer.get_unscaled_gradients(tape.gradient(loss, [w]))
optimizer.apply_gradients(zip(gradients, [w]))
