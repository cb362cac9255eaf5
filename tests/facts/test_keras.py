"""Which Keras goes with which TensorFlow."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.infer.surface import Surface
from tfenv.model.package import Name
from tfenv.symbols import database as symbols

DATABASE = load()


@pytest.mark.parametrize(
    ("release", "keras"), [("1.15.5", "2.2.4"), ("2.3.4", "2.4.0"), ("2.10.1", "2.10.0"), ("2.20.0", "3.10.0")]
)
def test_keras_of_a_release(release: str, keras: str) -> None:
    """What the wheel says, or its metadata."""
    assert DATABASE.keras.of(Version(release)) == Version(keras)


def test_every_release_has_one_row() -> None:
    """No release since 1.4 is without Keras, and no two rows tell of one."""
    for release in DATABASE.releases.versions(Name("tensorflow")):
        held = [row for row in DATABASE.keras.rows if row.versions.contains(release, prereleases=True)]
        assert len(held) == 1, release


@pytest.mark.parametrize(
    ("wrote", "read_by"),
    [
        ("2.2.4", ("1.15", "2.0", "2.10", "2.15")),
        ("2.10.0", ("2.10", "2.15")),
        ("2.15.0", ("2.15",)),
        ("3.0.0", ("2.16", "2.20")),
        ("3.99", ("2.16", "2.20")),
    ],
)
def test_who_reads_what_a_keras_wrote(wrote: str, read_by: tuple[str, ...]) -> None:
    """Older releases do not read what newer ones of the same major wrote, and no major reads the other's for sure."""
    surface = Surface(symbols.load().api, symbols.load().modules)
    names = surface.names(DATABASE.keras.releases(Version(wrote), surface.releases))
    kept = {"1.15", "2.0", "2.10", "2.15", "2.16", "2.20"}
    assert tuple(name for name in names if name in kept) == read_by
