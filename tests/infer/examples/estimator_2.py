"""The same with Keras."""

import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices(([[0.0], [1.0]], [[0.0], [1.0]])).repeat(50).batch(2)
classifier = tf.keras.Sequential([tf.keras.layers.Dense(1, activation="sigmoid")])
classifier.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
classifier.fit(data, epochs=1, verbose=0)
assert len(classifier.evaluate(data, verbose=0)) == 2
