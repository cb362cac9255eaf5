"""Images, multiplied."""

import numpy as np
from tensorflow.keras.preprocessing.image import ImageDataGenerator

images = ImageDataGenerator(rescale=0.5).flow(np.ones((2, 4, 4, 3)), np.ones(2), batch_size=2)
x, _ = next(images)
assert x.max() == 0.5
