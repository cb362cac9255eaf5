"""The backend of Keras that is in TensorFlow."""

import tensorflow as tf
import tensorflow.keras.backend as K


def loss(y_true, y_pred):
    return K.mean(K.square(y_pred - y_true), axis=-1) + K.epsilon()


K.clear_session()
model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", loss)
