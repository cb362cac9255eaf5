"""The table of symbols as it is shipped: what is asked most, what one question reads, and its one spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from tfenv.harvest.public.entries import linked, links
from tfenv.symbols import store
from tfenv.symbols.database import load
from tfenv.symbols.table import ApiTable

ROOT = load().root / "api"
API = load().api
ONE_QUESTION = 1_100_000
"""Bytes: of the largest file (`compat`), `_` and `releases`. A `read_text` of that much takes a millisecond or two."""


def test_size() -> None:
    """All of it stays small."""
    assert sum(path.stat().st_size for path in ROOT.rglob("*.*")) < 3_000_000


@pytest.mark.parametrize("package", ["tensorflow", "keras"])
def test_one_spelling(package: str) -> None:
    """Read and written again, the files are the same; every row has its own name."""
    texts = store.read(ROOT / package)
    releases, rows = store.loads(texts)
    assert store.dumps(releases, rows) == texts
    assert len({row.name for row in rows}) == len(rows)


def test_all_minor_releases() -> None:
    """Every minor release since 1.4 is there, and every one names the files that it was read from."""
    assert API.minors == (
        *(f"1.{minor}" for minor in range(4, 16)),
        *(f"2.{minor}" for minor in range(len(API.minors) - 12)),
    )
    for row in API.tensorflow.releases.rows:
        assert row.sources, row.version
        assert all(" sha256:" in source for source in row.sources), row.version


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("tf.placeholder", "1.4", "1.15"),
        ("tf.Session", "1.4", "1.15"),
        ("tf.compat.v1.placeholder", "1.13", None),
        ("tf.layers.dense", "1.4", "1.15"),
        ("tf.contrib.layers.flatten", "1.4", "1.15"),
        ("tf.contrib.slim.conv2d", "1.4", "1.15"),
        ("tf.contrib.learn.Estimator.fit", "1.4", "1.15"),
        ("tf.estimator.LinearClassifier", "1.4", "2.15"),
        ("tf.compat.v1.estimator.LinearClassifier", "1.13", "2.15"),
        ("tf.feature_column.numeric_column", "1.4", None),
        ("tf.keras.layers.Dense", "1.4", None),
        ("tf.keras.layers.Dense.build", "1.4", None),
        ("tf.lite.TFLiteConverter", "1.13", None),
        ("tf.summary.FileWriter", "1.4", "1.15"),
        ("tf.summary.create_file_writer", "2.0", None),
        ("tf.function", "1.14", None),
        ("tf.raw_ops.MatMul", "1.14", None),
        ("tf.distribute.MirroredStrategy", "1.13", None),
        ("tf.data.AUTOTUNE", "2.4", None),
        ("tf.app.flags.DEFINE_string", "1.4", "1.15"),
        ("tf.flags.DEFINE_string", "1.4", "1.15"),
        ("tf.__version__", "1.4", None),
        ("tf.contrib.framework.nest.map_structure", "1.4", "1.15"),
        ("tf.compat.v2.summary.create_file_writer", "1.14", None),
        ("tf.summary.experimental.set_step", "2.0", None),
        ("tf.keras.callbacks.EarlyStopping", "1.4", None),
    ],
)
def test_ranges(name: str, first: str, last: str | None) -> None:
    """Symbols that everybody meets are placed in the right minor releases."""
    found = API.symbol(name)
    assert found is not None
    assert found.minors[0] == first
    assert found.minors[-1] == (last or API.minors[-1])
    assert not found.holes


def test_summaries_of_two_kinds() -> None:
    """`tf.compat.v2.summary` of 1.x has the summaries of 2.x only."""
    assert API.symbol("tf.compat.v2.summary.record_if") is not None
    assert API.symbol("tf.compat.v2.summary.FileWriter") is None


def test_links_are_kept() -> None:
    """An update that reads other releases keeps what the links tell of those that it does not read."""
    releases = API.tensorflow.releases
    told = [linked(releases, 1 << at) for at in range(len(releases.all))]
    kept = {name: (releases.parse(spans), target) for name, (spans, target) in links(told, releases).items()}
    assert kept == releases.links != {}


def test_parameters() -> None:
    """Parameters that came and went."""
    softmax = API.symbol("tf.nn.softmax")
    assert softmax is not None
    assert softmax.accepts("dim", Version("1.15.5")) is True
    assert softmax.accepts("dim", Version("2.0.0")) is False
    assert softmax.accepts("axis", Version("1.4.0")) is False
    assert softmax.accepts("axis", Version("2.21.0")) is True


def test_keras_eras() -> None:
    """`tf.keras` is in TensorFlow, then in Keras 2, then what the newest Keras 3 has that the release admits."""
    layer = API.symbol("tf.keras.layers.Dense")
    assert layer is not None
    assert layer.keras is not None
    assert layer.keras.name.startswith("keras._tf_keras.keras.layers.Dense")
    ops = API.symbol("tf.keras.ops.matmul")
    assert ops is not None
    assert ops.minors[0] == "2.16"
    gone = API.symbol("tf.keras.layers.experimental.preprocessing.Normalization")
    assert gone is not None
    assert gone.minors[-1] == "2.15"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("keras.layers.core.Dense", "2.0.0", "2.12.0"),
        ("keras.layers.convolutional.MaxPooling2D", "2.0.0", "2.12.0"),
        ("keras.layers.embeddings.Embedding", "2.0.0", "2.8.0"),
        ("keras.layers.normalization.BatchNormalization", "2.0.0", "2.4.3"),
        ("keras.utils.np_utils.to_categorical", "2.0.0", "2.12.0"),
        ("keras.engine.topology.Layer", "2.0.0", "2.4.3"),
        ("keras.engine.training.Model", "2.0.0", "2.12.0"),
        ("keras.engine.keras_tensor.KerasTensor", "2.6.0", "2.12.0"),
        ("keras.objectives.mean_squared_error", "2.0.0", "2.4.3"),
        ("keras.preprocessing.image.ImageDataGenerator.flow", "2.0.0", "2.15.0"),
        ("keras.backend.tensorflow_backend.set_session", "2.0.0", "2.4.2"),
    ],
)
def test_inner_modules_of_keras(name: str, first: str, last: str) -> None:
    """Modules that can be imported; each was imported from 2.0.6, 2.1.6, 2.2.4, 2.3.1, 2.4.3, 2.6.0, 2.10.0, 2.12.0."""
    found = API.symbol(name)
    assert found is not None
    assert (found.first, found.last) == (Version(first), Version(last))
    assert not found.holes


def test_members_of_inner_classes() -> None:
    """Of a class of `tensorflow.python.keras` nothing is told from 2.6 on but that it is there: its members may be."""
    found = API.symbol("tf.python.keras.models.Sequential.compile")
    assert found is not None
    assert (found.minors[0], found.minors[-1]) == ("1.4", API.minors[-1])
    assert found.accepts("optimizer", Version("2.5.0")) is True
    assert found.accepts("optimizer", Version("2.10.0")) is None


@pytest.mark.parametrize(
    "name", ["tf.nn.relu", "tf.keras.layers.Dense", "tf.contrib.layers.flatten", "tf.compat.v1.placeholder", "tf.zeros"]
)
def test_one_question_reads_little(name: str, opened: list[int]) -> None:
    """A question opens the list of releases and the files of its own module, not the table."""
    assert ApiTable(ROOT).symbol(name) is not None
    assert sum(opened) < ONE_QUESTION * (2 if "keras" in name else 1)
    assert len(opened) <= 12


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files of the table that are opened meanwhile."""
    sizes: list[int] = []
    real = Path.read_text

    def read_text(path: Path, encoding: str | None = None, errors: str | None = None) -> str:
        sizes.append(path.stat().st_size)
        return real(path, encoding=encoding, errors=errors)

    monkeypatch.setattr(Path, "read_text", read_text)
    return sizes
