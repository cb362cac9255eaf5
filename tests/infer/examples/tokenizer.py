"""Words to numbers, and sequences of one length."""

from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

tokenizer = Tokenizer(num_words=10)
tokenizer.fit_on_texts(["a b", "b c d"])
assert pad_sequences(tokenizer.texts_to_sequences(["b"]), maxlen=4).shape == (1, 4)
