"""Model files: what they say is found, and damaged ones are told as such, whatever is wrong with them."""

from __future__ import annotations

import io
import json
import random
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infer import written
from tests.infer.surroundings import DATABASE, KEPT, PAIRS
from tfenv.errors import UsageError
from tfenv.infer.models import artifact, models
from tfenv.workflow.infer import infer_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.infer.models.artifact import Artifact

SAVED = Path(__file__).with_name("models")
RELEASES = sorted(
    (path.name for path in SAVED.iterdir() if path.is_dir()), key=lambda name: [*map(int, name.split("."))]
)
MATMUL = written.node("MatMul", "T", "transpose_a")


def read(data: bytes, name: str) -> Artifact | None:
    """A file of these bytes."""
    return models.read(memoryview(data), io.BytesIO(data), name)


def serves(found: Artifact) -> list[str]:
    """The releases that can use it."""
    mask = PAIRS.full
    for one in artifact.findings(found, PAIRS, DATABASE.keras):
        mask &= one.pairs if not one.guarded else -1
    return [name for name in PAIRS.surface.names(PAIRS.releases(mask)) if name in KEPT]


@pytest.mark.parametrize("release", RELEASES)
def test_models_of_a_release_are_recognised(release: str) -> None:
    """What a release wrote tells that release, and whoever serves is told."""
    answer = infer_with([SAVED / release], DATABASE)
    text = " ".join(one.symbol for one in answer.findings)
    assert f"SavedModel saved by TensorFlow {release}." in text
    assert f"graph of a checkpoint (.meta) saved by TensorFlow {release}." in text
    assert "Keras model (HDF5) saved by Keras " in text
    assert "TensorFlow Lite model for TensorFlow 1.5.0 and later" in text
    assert release in answer.releases
    assert not [one for one in answer.unknown if "does not record" not in one]


def test_saved_model() -> None:
    """The version that wrote it, and the ops of its functions too."""
    held = written.graph(MATMUL, written.node("mine"), functions=written.function("mine", written.node("Roll")))
    found = read(written.saved_model("2.10.1", held), "a/saved_model.pb")
    assert found is not None
    assert found.saved_by == "2.10.1"
    assert [name for name, _ in found.ops] == ["MatMul", "Roll"]
    assert serves(found) == ["2.10", "2.15", "2.16", "2.20"]


def test_saved_model_of_keras() -> None:
    """`load_model` of Keras 3 does not read it, `tf.saved_model.load` does: it is told, and binds nothing."""
    found = read(written.saved_model("2.10.1", written.graph(MATMUL), keras=True), "saved_model.pb")
    assert found is not None
    (told,) = (one for one in artifact.findings(found, PAIRS, DATABASE.keras) if one.guarded)
    assert (told.symbol, told.last) == ("SavedModel of Keras 2", "2.15")


def test_frozen_graph_by_ops_and_attributes() -> None:
    """A frozen graph does not tell who wrote it; an attribute that came later does."""
    old = read(written.graph(MATMUL), "a.pb")
    new = read(written.graph(MATMUL, written.node("MatMul", "grad_a", "_hint")), "a.pb")
    assert old is not None
    assert new is not None
    assert serves(old) == list(KEPT)
    assert serves(new) == ["2.10", "2.15", "2.16", "2.20"]  # from 2.5 on they are left out


def test_ops_that_came_later() -> None:
    """No release reads an op that it has not."""
    found = read(written.graph(written.node("DisableCopyOnRead")), "a.pb")
    assert found is not None
    assert serves(found) == ["2.10", "2.15", "2.16", "2.20"]


def test_old_weights_with_a_new_name() -> None:
    """Weights of Keras before 2.13 that are called `.weights.h5` are told to be in the way of themselves."""
    data = (SAVED / "1.15" / "weights.h5").read_bytes()
    plain, named = read(data, "dense.h5"), read(data, "dense.weights.h5")
    assert plain is not None
    assert named is not None
    assert not list(artifact.unknown(plain, PAIRS))
    assert "rename it" in next(iter(artifact.unknown(named, PAIRS)))


def test_ops_of_others_are_unknown() -> None:
    """An op that TensorFlow has not is named."""
    found = read(written.graph(written.node("MyOwnOp")), "a.pb")
    assert found is not None
    (told,) = artifact.unknown(found, PAIRS)
    assert told == "`a.pb` uses ops that no release of TensorFlow has publicly: `MyOwnOp`"


@pytest.mark.parametrize(
    ("floor", "expected"),
    [(None, list(KEPT)), ("2.3.0\0\0", ["2.10", "2.15", "2.16", "2.20"]), ("not a version", list(KEPT))],
)
def test_lite(floor: str | None, expected: list[str]) -> None:
    """The lowest runtime, where the converter wrote it."""
    found = read(written.lite(floor), "a.tflite")
    assert found is not None
    assert serves(found) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.3.3", ["2.16", "2.20"]), ("2.12.0", ["2.15"]), ("2.99", []), ("3.99", ["2.16", "2.20"])],
)
def test_keras_archive(version: str, expected: list[str]) -> None:
    """The version of Keras that wrote it."""
    found = read(_archive({"keras_version": version}), "a.keras")
    assert found is not None
    assert serves(found) == expected


def test_other_hdf5_is_left_alone() -> None:
    """An HDF5 file that is no model says nothing; weights of Keras 2.13 and later have no mark but their name."""
    weights = (SAVED / "2.15" / "dense.weights.h5").read_bytes()
    assert read(weights, "data.h5") is None
    found = read(weights, "dense.weights.h5")
    assert found is not None
    assert "does not record which TensorFlow wrote it" in next(iter(artifact.unknown(found, PAIRS)))


@pytest.mark.parametrize("name", ["a.h5", "a.keras", "a.tflite", "a.index", "saved_model.pb", "a.pb", "a.meta"])
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"text\n", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\xff" * 100, b"\x0a" * 100]
)
def test_what_is_no_model(name: str, data: bytes) -> None:
    """A clear error names the file."""
    with pytest.raises(UsageError, match=f"`{name}` cannot be read: "):
        read(data, name)


def _archive(metadata: object, packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packed) as archive:
        text = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
        archive.writestr("metadata.json", text)
    return held.getvalue()


@pytest.mark.parametrize("metadata", [[], {}, {"keras_version": 3}, b"{", b"\xff", b"[" * 100_000])
def test_archive_with_other_metadata(metadata: object) -> None:
    """JSON of another shape, or none."""
    with pytest.raises(UsageError, match="cannot be read"):
        read(_archive(metadata), "a.keras")


FILES = sorted(
    path
    for path in SAVED.rglob("*")
    if path.is_file() and path.name.endswith(models.SUFFIXES) and path.parent.name != "variables"
)


def _look(data: bytes, name: str) -> None:
    """Reading ends, in an answer or in an error of tfenv."""
    try:
        found = read(data, name)
        if found is not None:
            list(artifact.findings(found, PAIRS, DATABASE.keras))
            list(artifact.unknown(found, PAIRS))
    except UsageError:
        pass


def _damage(path: Path, step: int, flips: int) -> None:
    """Cut a file at many lengths, and change a few of its bytes many times."""
    data = path.read_bytes()
    for length in range(0, len(data), step):
        _look(data[:length], path.name)
    chance = random.Random(path.name)
    for _ in range(flips):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        _look(bytes(damaged), path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_damaged(path: Path) -> None:
    """A file that was cut, or whose bytes are not what they were."""
    _damage(path, 1 + path.stat().st_size // 50, 30)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_damaged_in_every_way(path: Path) -> None:
    """The same at every length."""
    _damage(path, 1, 1000)


def _deep() -> bytes:
    """Messages in messages."""
    deep = b""
    for _ in range(2000):
        deep = written.field(1, deep)
    return written.field(2, written.field(7, deep)) + b"\0"


def _ops() -> bytes:
    """A graph of very many ops."""
    return b"".join(written.field(1, written.field(2, str(number))) for number in range(200_000))


def _itself() -> bytes:
    """A model whose object header goes on in itself."""
    data = bytearray((SAVED / "1.15" / "dense.h5").read_bytes())
    root = int.from_bytes(data[24 + 32 + 8 : 24 + 32 + 16], "little")
    data[root + 16 : root + 18] = (0x10).to_bytes(2, "little")
    data[root + 24 : root + 40] = (root + 16).to_bytes(8, "little") + (24).to_bytes(8, "little")
    return bytes(data)


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a length beyond the end": ("a.pb", lambda: b"\x0a\xff\xff\xff\xff\x0f" + b"a"),
    "a length of 2^63": ("saved_model.pb", lambda: b"\x12" + b"\xff" * 9 + b"\x01"),
    "messages in messages": ("saved_model.pb", _deep),
    "ops without end": ("a.pb", _ops),
    "a zip of zeros": ("a.keras", lambda: _archive(b'{"keras_version": "' + b"0" * 2**26 + b'"}')),
    "lzma": ("a.keras", lambda: _archive({"keras_version": "3.0"}, zipfile.ZIP_LZMA)),
    "a table of contents of 2 GB": (
        "a.keras",
        lambda: b"PK\x03\x04" + b"PK\x05\x06" + b"\0" * 8 + (2**31).to_bytes(4, "little") + b"\0" * 6,
    ),
    "a heap that is its own": ("a.h5", _itself),
}
"""Name and maker of each file; it is made when its test runs."""


@pytest.mark.parametrize("what", BOMBS)
def test_bombs(what: str) -> None:
    """Small files that ask for much get neither memory nor time."""
    name, make = BOMBS[what]
    data = make()
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(UsageError, match="cannot be read"):
        read(data, name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20
    assert time.process_time() - started < 30


def test_damaged_files_in_a_folder_hide_nothing(tmp_path: Path) -> None:
    """In a folder a damaged model is told as unknown; asked for by name it is an error."""
    (tmp_path / "a.h5").write_bytes(b"cut")
    (tmp_path / "code.py").write_text("import tensorflow as tf\ntf.Session()\n", encoding="utf-8")
    answer = infer_with([tmp_path], DATABASE)
    assert answer.unknown == ("`a.h5` cannot be read: its content does not match its name",)
    assert [one.symbol for one in answer.findings] == ["tf.Session"]
    assert answer.files == 2
    with pytest.raises(UsageError, match=r"a\.h5` cannot be read"):
        infer_with([tmp_path / "a.h5"], DATABASE)
