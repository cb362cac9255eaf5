"""What symbols became: every row tells of something that was there, and of something that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfenv.errors import UsageError
from tfenv.symbols.became import BecameTable
from tfenv.symbols.database import load

if TYPE_CHECKING:
    from pathlib import Path

API = load().api
TABLE = BecameTable(load().root / "api")
# modules that are imported by name though no release shows them
HIDDEN = ("keras.engine.", "keras.layers.cudnn_recurrent", "keras.utils.")


def test_every_old_name_is_known() -> None:
    """A row (or all below a wildcard) tells of symbols that some release has."""
    for symbol in TABLE.curated:
        name = symbol.removesuffix(".*")
        if not name.startswith(HIDDEN) and not (name != symbol and name.startswith("tf.contrib.")):
            assert API.symbol(name) is not None, symbol


def test_every_new_name_is_there() -> None:
    """What a row points to in TensorFlow or Keras exists in some release of 2.x."""
    for row in TABLE.curated.values():
        name = row.now.removesuffix(".*")
        if name.startswith(("tf.", "keras.")):
            found = API.symbol(name)
            assert found is not None, row
            assert found.last.major >= 2, row


def test_packages() -> None:
    """A name that is not of TensorFlow or Keras says which distribution has it; one that is says none."""
    for row in TABLE.curated.values():
        inside = not row.now or row.now == "tf" or row.now.startswith(("tf.", "keras."))
        assert bool(row.package) != inside, row


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("tf.placeholder", "tf.compat.v1.placeholder"),
        ("tf.layers.dense", "tf.keras.layers.Dense"),
        ("tf.contrib.layers.flatten", "tf.keras.layers.Flatten"),
        ("tf.contrib.slim.nets.vgg.vgg_16", "tf_slim.nets.vgg.vgg_16"),
        ("tf.contrib.framework.arg_scope", "tf_slim.arg_scope"),
        ("tf.contrib.seq2seq.dynamic_decode", "tensorflow_addons.seq2seq.dynamic_decode"),
        ("tf.contrib.unheard.of", ""),
        ("tf.estimator.DNNClassifier", "tf.keras.Model"),
        ("tf.feature_column.crossed_column", "tf.keras.layers.HashedCrossing"),
        ("tensorflow.keras.wrappers.scikit_learn.KerasClassifier", "scikeras.wrappers.KerasClassifier"),
        ("keras.utils.np_utils.to_categorical", "keras.utils.to_categorical"),
        ("tf.GraphKeys", "tf.compat.v1.GraphKeys"),
        ("tf.nn.moments(keep_dims)", "tf.nn.moments(keepdims)"),
    ],
)
def test_find(old: str, now: str) -> None:
    """Rows by hand, wildcards, and TensorFlow's own tables."""
    found = TABLE.find(old)
    assert found is not None
    assert found.now == now
    assert found.source


def test_sources() -> None:
    """Every row cites a page, or a file with its hash."""
    for row in (*TABLE.curated.values(), *TABLE.renames.values()):
        assert row.source.startswith("https://") or "sha256:" in row.source, row
    assert len(TABLE.curated) > 400
    assert len(TABLE.renames) > 1000


@pytest.mark.parametrize(
    "text",
    [
        "[[row]]\nsource = 'none'\n[sources]\nnone = 'a'\n",
        "[[row]]\nsymbols = ['tf.a']\nsource = 'none'\n[sources]\n",
        "[sources",
    ],
)
def test_damage(tmp_path: Path, text: str) -> None:
    """A damaged file is named."""
    (tmp_path / "became.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"became\.toml`"):
        BecameTable(tmp_path).find("tf.a")
