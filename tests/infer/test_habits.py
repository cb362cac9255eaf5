"""Ways of writing that some releases refuse: each is seen where it is, and nowhere else."""

from __future__ import annotations

import pytest

from tests.infer.surroundings import DATABASE, infer_text

KERAS = "import tensorflow as tf\nmodel = tf.keras.Sequential([tf.keras.layers.Dense(1)])\n"
FIRES = {
    "optimizer-lr": ["tf.keras.optimizers.SGD(lr=0.1)"],
    "optimizer-decay": ["tf.keras.optimizers.SGD(0.1, decay=0.1)"],
    "save-directory": [
        "model.save('folder')",
        "model.save('folder', save_format='tf')",
        "tf.keras.models.save_model(model, f'{1}/folder')",
        "import os\nmodel.save(os.path.join('a', 'b'))",
    ],
    "save-weights-name": ["model.save_weights('a.h5')", "model.save_weights('./ckpt/a')"],
    "load-directory": ["tf.keras.models.load_model('folder')"],
    "load-weights-checkpoint": ["model.load_weights('./ckpt/a')"],
    "checkpoint-name": [
        "tf.keras.callbacks.ModelCheckpoint('cp.ckpt')",
        "tf.keras.callbacks.ModelCheckpoint('a.h5', save_weights_only=True)",
    ],
    "batch-input-shape": ["tf.keras.layers.Dense(1, batch_input_shape=(1, 2))"],
    "train-step-minimize": [
        "class A(tf.keras.Model):\n  def train_step(self, data):\n    self.optimizer.minimize(data, self.variables)"
    ],
    "add-loss-tensor": ["model.add_loss(tf.zeros([]))"],
    "add-weight-name": [
        "class A(tf.keras.layers.Layer):\n  def build(self, shape):\n    self.add_weight('a', shape=shape)",
        "layer = get()\nlayer.add_weight(f'a{1}', [1])",
    ],
    "function-on-symbolic": [
        "tf.square(tf.keras.Input([1]))",
        "x = tf.keras.Input([1])\nx = tf.keras.layers.Dense(1)(x)\ntf.concat([x, x], axis=0)",
        "tf.keras.backend.mean(x=tf.keras.layers.Input([1]))",
    ],
    "optimizer-legacy": ["tf.keras.optimizers.legacy.Adam(1e-3)"],
    "optimizer-lr-read": ["model.optimizer.lr", "def f(self):\n  return float(self.model.optimizer.lr)"],
    "private-keras-fit": ["from tensorflow.python.keras.models import Sequential\nSequential([]).fit([], [])"],
    "dimension-value": [
        "tf.ones([1]).shape[0].value",
        "def f(x):\n  return x.get_shape()[1].value + x.shape.dims[0].value",
    ],
    "keyword-refused": [
        "tf.keras.layers.LSTM(1, time_major=True)",
        "tf.keras.layers.Dense(1, weights=[])",
        "tf.keras.optimizers.Adam(jit_compile=False)",
    ],
    "layer-attribute": [
        "model.layers[0].output_shape",
        "model.get_layer('a').get_output_at(0)",
        "for layer in model.layers:\n  print(layer.input_shape)",
    ],
    "lite-from-keras": ["tf.lite.TFLiteConverter.from_keras_model(model)"],
    "symbolic-attribute": [
        "x = tf.keras.Input([1])\nx.get_shape().as_list()",
        "tf.keras.layers.Dense(1)(tf.keras.Input([1])).op",
    ],
    "graph-keras": ["tf.compat.v1.disable_v2_behavior()"],
    "eager-numpy": ["tf.zeros([1]).numpy()", "def f(x):\n  return x.numpy()"],
}
QUIET = {
    "optimizer-lr": ["tf.keras.optimizers.SGD(learning_rate=0.1)", "tf.keras.optimizers.legacy.SGD(0.1, decay=0.1)"],
    "optimizer-decay": ["tf.keras.optimizers.legacy.SGD(0.1, decay=0.1)"],
    "save-directory": [
        "model.save('a.keras')",
        "model.save('a.h5')",
        "name = input()\nmodel.save(name)",
        "import joblib\nsvm_model = joblib.load('a')\nsvm_model.save('a.bin')",
    ],
    "save-weights-name": ["model.save_weights('a.weights.h5')"],
    "load-directory": ["tf.keras.models.load_model('a.keras')", "name = input()\ntf.keras.models.load_model(name)"],
    "load-weights-checkpoint": ["model.load_weights('a.weights.h5')"],
    "checkpoint-name": ["tf.keras.callbacks.ModelCheckpoint('a.weights.h5', save_weights_only=True)"],
    "batch-input-shape": ["tf.keras.layers.Dense(1, input_shape=(2,))"],
    "train-step-minimize": [
        "class A(tf.keras.Model):\n  def train_step(self, data):\n    self.optimizer.apply_gradients([])",
        "class A:\n  def train_step(self, data):\n    self.optimizer.minimize(data)",
    ],
    "add-loss-tensor": [
        "class A(tf.keras.layers.Layer):\n  def call(self, x):\n    self.add_loss(x)",
        "model.add_loss(lambda: 1)",
    ],
    "add-weight-name": [
        "class A(tf.keras.layers.Layer):\n  def build(self, shape):\n    self.add_weight(name='a', shape=shape)",
        "class A(tf.keras.layers.Layer):\n  def build(self, shape):\n    self.add_weight(shape, 'ones')",
    ],
    "function-on-symbolic": [
        "tf.is_tensor(tf.keras.Input([1]))",
        "tf.keras.backend.int_shape(tf.keras.Input([1]))",
        "x = tf.keras.Input([1])\ntf.keras.layers.Lambda(lambda x: tf.square(x))(x)",
        "import numpy\nx = tf.keras.Input([1])\nnumpy.square(x)\ntf.keras.Model(x, [x])",
        "x = tf.keras.Input([1])\nx = tf.zeros([1])\ntf.square(x)",
        "x = tf.keras.Input([1])\nmodel = tf.keras.Model(x, x)\ntf.square(model)\ntf.square(model.get_layer(x))",
    ],
    "optimizer-legacy": ["isinstance(model, tf.keras.optimizers.legacy.Optimizer)", "tf.keras.optimizers.Adam(1e-3)"],
    "optimizer-lr-read": ["model.optimizer.lr = 0.1", "model.optimizer.learning_rate", "config.lr"],
    "private-keras-fit": ["from tensorflow.python.keras.models import Sequential\nSequential([])", "model.fit([], [])"],
    "dimension-value": [
        "tf.ones([1]).shape[0]",
        "config.shape.value",
        "tf.compat.v1.disable_v2_behavior()\ntf.ones([1]).shape[0].value",
        "x = tf.ones([1]).shape[0]\nif isinstance(x, tf.compat.v1.Dimension):\n  x = tf.ones([1]).shape[0].value",
    ],
    "keyword-refused": [
        "tf.keras.layers.Embedding(1, 1, weights=[], input_length=1)",
        "tf.keras.layers.GRU(1, implementation=1)",
        "tf.keras.Input([1], batch_size=1)",
        "tf.keras.layers.Input([1], batch_size=1)",
        "tf.keras.applications.ResNet50(weights=None)",
        "class A(tf.keras.layers.Layer):\n  def __init__(self, weights):\n    super().__init__()\nA(weights=[])",
    ],
    "layer-attribute": [
        "model.output_shape",
        "model.layers[0].output",
        "class A:\n  def f(self):\n    return self.input_shape",
    ],
    "lite-from-keras": ["tf.lite.TFLiteConverter.from_saved_model('folder')"],
    "symbolic-attribute": [
        "tf.ones([1]).get_shape()",
        "tf.keras.Input([1]).shape",
        "def f(x):\n  return x.get_shape()",
    ],
    "graph-keras": ["tf.function(print)"],
    "eager-numpy": [
        "tf.compat.v1.enable_eager_execution()\ntf.zeros([1]).numpy()",
        "if tf.executing_eagerly():\n  tf.zeros([1]).numpy()",
        "import torch\ntorch.zeros(1).numpy()",
        "tf.zeros([1]).numpy",
    ],
}


def _rules(code: str) -> set[str | None]:
    became = {row.now: row.id for row in DATABASE.habits.rows.values()}
    return {became.get(one.became or "") for one in infer_text(KERAS + code).findings}


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in FIRES.items() for code in codes])
def test_seen(rule: str, code: str) -> None:
    """It is found, and keeps away the releases that the row names."""
    assert rule in _rules(code)


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in QUIET.items() for code in codes])
def test_not_seen(rule: str, code: str) -> None:
    """What looks like it is left alone."""
    assert rule not in _rules(code)


def test_every_rule_is_tried_both_ways() -> None:
    """Each row of the table has a case where it fires and one where it does not."""
    assert set(DATABASE.habits.rows) == set(FIRES) == set(QUIET)


def test_without_keras_a_model_is_anything() -> None:
    """A name that ends in `model` counts only in files that use Keras."""
    assert not infer_text("import tensorflow as tf\nmodel = get()\nmodel.save('folder')\ntf.zeros([1])\n").findings
