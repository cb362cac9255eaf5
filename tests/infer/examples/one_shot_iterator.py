"""An iterator of a dataset, its function by compat; the session by what is there."""

import tensorflow as tf

data = tf.data.Dataset.range(3).map(lambda x: x * 2)
if hasattr(tf, "Session"):
    following = data.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(following) == 0
else:
    assert next(iter(data)) == 0
