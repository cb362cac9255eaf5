"""The real index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.index.download import download
from tfenv.index.source import IndexSource
from tfenv.model.goal import PYPI
from tfenv.model.package import File, Name
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.index


@pytest.fixture
def pypi(tmp_path: Path) -> Iterator[IndexSource]:
    with IndexSource([PYPI], cache=Cache(tmp_path)) as source:
        yield source


def file(source: IndexSource, name: str, version: str, part: str) -> File:
    release = next(r for r in source.releases(Name(name)) if r.version == Version(version))
    return next(f for f in release.files if part in f.filename)


def test_tensorflow(pypi: IndexSource) -> None:
    """The wheel of 620 MB tells its requirements for a few megabytes."""
    wheel = file(pypi, "tensorflow", "2.20.0", "cp313-cp313-manylinux_2_17_x86_64")
    assert wheel.sha256 == "5fa3729b0126f75a99882b89fb7d536515721eda8014a63e259e780ba0a37372"
    found = pypi.metadata(wheel)
    assert "and-cuda" in found.extras
    assert 'nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"' in map(str, found.requires)
    assert not found.dynamic


def test_a_source_only_release(pypi: IndexSource) -> None:
    """The release 0.2.2 of gast was never a wheel; it is read and requires nothing."""
    found = pypi.metadata(file(pypi, "gast", "0.2.2", ".tar.gz"))
    assert (found.requires, found.dynamic) == ((), True)


def test_a_download(pypi: IndexSource, tmp_path: Path) -> None:
    """A small wheel arrives and has its hash."""
    wheel = file(pypi, "six", "1.16.0", ".whl")
    assert download([wheel], cache=Cache(tmp_path))[wheel.filename].stat().st_size == 11053


def test_a_day_in_the_past(tmp_path: Path) -> None:
    """What was uploaded later does not exist."""
    moment = datetime(2023, 1, 1, tzinfo=UTC)
    with IndexSource([PYPI], cache=Cache(tmp_path), exclude_newer=moment) as source:
        stable = [r.version for r in source.releases(Name("tensorflow")) if not r.version.is_prerelease]
        assert stable[0] == Version("2.11.0")
        assert source.undated() == {}
