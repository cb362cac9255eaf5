"""Newer facts for the user: written whole, read once more before they count, kept away where anything fails."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.disk import full_disk
from tests.support.index_server import FakeIndex
from tfenv.errors import HostError, IndexUnavailable, UsageError
from tfenv.facts.database import load
from tfenv.facts.location import in_use, pointer, pointer_file, shipped
from tfenv.store.cache import Cache
from tfenv.workflow.facts import Updated, state, update

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="data")
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, empty."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TFENV_DATA_DIR", str(folder))
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.fixture(name="index")
def _index() -> Iterator[FakeIndex]:
    with FakeIndex() as index:
        index.add_wheel("tensorflow-gpu", "9.1.0", tags="cp39-cp39-manylinux2014_x86_64")
        yield index


def updated(index: FakeIndex) -> Updated:
    """The releases of one distribution, for the user."""
    return update(["releases"], only=["tensorflow-gpu"], index=index.url, user=True)


def folders(data: Path) -> list[Path]:
    return sorted(data.glob("facts-*"))


def test_newer_facts_count(index: FakeIndex, data: Path) -> None:
    """They are a whole set: every table, and what was read on top; what comes with tfenv stays as it is."""
    done = updated(index)
    assert "facts/tensorflow/9.1.toml" in done.changed
    assert in_use().root == done.folder
    assert folders(data) == [done.folder]
    assert load().gpus.find("V100").name == "V100"
    assert "9.1" in load().releases.minors
    assert not (shipped() / "facts" / "tensorflow" / "9.1.toml").exists()
    assert state()["source"] == "user"


@pytest.mark.ci
def test_an_update_builds_on_the_last_one(index: FakeIndex, data: Path) -> None:
    """The facts used until now stay once more, for commands that are running; older ones go."""
    first = updated(index)
    index.add_wheel("tensorflow-gpu", "9.2.0", tags="cp39-cp39-manylinux2014_x86_64")
    second = updated(index)
    assert {"9.1", "9.2"} <= set(load().releases.minors)
    assert folders(data) == sorted(folder for folder in (first.folder, second.folder) if folder)
    index.add_wheel("tensorflow-gpu", "9.3.0", tags="cp39-cp39-manylinux2014_x86_64")
    third = updated(index)
    assert folders(data) == sorted(folder for folder in (second.folder, third.folder) if folder)


def test_without_news_nothing_is_written(index: FakeIndex, data: Path) -> None:
    """A second update finds nothing, and leaves the facts as they are."""
    first = updated(index)
    before = pointer_file().read_bytes()
    assert updated(index).folder is None
    assert (folders(data), pointer_file().read_bytes()) == ([first.folder], before)


def test_a_failure_leaves_the_facts_in_use(index: FakeIndex, data: Path) -> None:
    """If the index fails midway, nothing of the update stays."""
    index.fault("tensorflow_gpu-9.1.0", status=403, times=9)
    with pytest.raises(IndexUnavailable):
        updated(index)
    assert not folders(data)
    assert in_use().root == shipped()


@pytest.mark.ci
def test_what_cannot_be_read_back_does_not_count(index: FakeIndex, data: Path) -> None:
    """Facts with a fault, wherever it came from, are not made those in use."""
    first = updated(index)
    assert first.folder is not None
    (first.folder / "facts" / "rocm.toml").write_text("rocm = 1\n", encoding="utf-8")
    pointer_file().write_text(pointer(first.folder, shipped()), encoding="utf-8")
    index.add_wheel("tensorflow-gpu", "9.2.0", tags="cp39-cp39-manylinux2014_x86_64")
    with pytest.raises(UsageError, match=r"rocm\.toml"):
        updated(index)
    assert folders(data) == [first.folder]


@pytest.mark.ci
def test_damaged_facts_are_not_built_upon(index: FakeIndex, data: Path) -> None:
    """The error names the file; once the pointer is deleted, an update works again."""
    first = updated(index)
    assert first.folder is not None
    shutil.rmtree(first.folder / "symbols")
    with pytest.raises(UsageError, match="is damaged"):
        updated(index)
    pointer_file().unlink()
    again = updated(index)
    assert in_use().root == again.folder
    assert data.is_dir()


def test_one_update_at_a_time(index: FakeIndex, data: Path) -> None:
    """A second one waits for the first."""
    with ThreadPoolExecutor() as pool:
        with Cache().lock(pointer_file()):
            second = pool.submit(updated, index)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
            assert not folders(data)
        found = second.result(timeout=60)
    assert folders(data) == [found.folder]


def test_a_disk_without_room(index: FakeIndex, data: Path) -> None:
    """Facts that cannot be written are a fault of this host, and those in use stay in use."""
    before = in_use().root
    with pytest.raises(HostError, match=r"facts-\d+-\d+` cannot be written"), full_disk():
        updated(index)
    assert in_use().root == before
    assert folders(data) == []
