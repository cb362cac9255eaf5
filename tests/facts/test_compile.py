"""How custom ops are built."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tfenv.facts.database import load
from tfenv.model.package import Name

TABLE = load().compile


@pytest.mark.parametrize(
    ("release", "cxx11", "library"),
    [
        ("1.13.2", False, "tensorflow/libtensorflow_framework.so"),
        ("1.15.5", False, "tensorflow_core/libtensorflow_framework.so.1"),
        ("2.8.4", False, "tensorflow/libtensorflow_framework.so.2"),
        ("2.9.0", True, "tensorflow/libtensorflow_framework.so.2"),
        ("2.21.0", True, "tensorflow/libtensorflow_framework.so.2"),
    ],
)
def test_of_a_release(release: str, cxx11: bool, library: str) -> None:
    """The C++11 ABI came with 2.9; the library has had the major in its name since 1.14."""
    row = TABLE.of(Version(release))
    assert row is not None
    assert (row.cxx11, row.flags.library) == (cxx11, library)


def test_every_release_has_one_row() -> None:
    """None is without, none has two."""
    for release in load().releases.versions(Name("tensorflow")):
        held = [row for row in TABLE.rows if row.versions.contains(release, prereleases=True)]
        assert len(held) == 1, release
