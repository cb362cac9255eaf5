"""What the cache holds, and what is removed from it."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import TYPE_CHECKING

import pytest

from tfenv.store.cache import Cache
from tfenv.store.pruning import prune, usage

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
    from pathlib import Path

DAY = 86400


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache with a document and two wheels, of which one was not used for 40 days."""
    made = Cache(tmp_path / "cache")
    made.keep_document("key", {"value": 1})
    for digit, age in (("a", 0), ("b", 40)):
        path = made.file(digit * 64, "demo-1.0-py3-none-any.whl")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"12345")
        os.utime(path, (time.time() - age * DAY,) * 2)
    return made


def test_usage(cache: Cache) -> None:
    """Files and bytes by kind; an empty cache holds nothing."""
    assert {kind.kind: (kind.files, kind.size) for kind in usage(cache)}["files"] == (2, 10)
    assert usage(Cache(cache.directory / "other")) == ()


def test_what_was_not_used_goes(cache: Cache) -> None:
    """Entries of 40 days go, with their folder; others stay."""
    assert [(kind.kind, kind.files, kind.size) for kind in prune(cache)] == [("files", 1, 5)]
    assert cache.file("a" * 64, "demo-1.0-py3-none-any.whl").is_file()
    assert not cache.file("b" * 64, "demo-1.0-py3-none-any.whl").parent.exists()
    assert cache.document("key") == {"value": 1}


def test_everything_goes(cache: Cache) -> None:
    """`--all` empties the cache, and a second time finds nothing."""
    assert sum(kind.files for kind in prune(cache, everything=True)) == 3
    assert prune(cache, everything=True) == ()


def test_leftovers_go(cache: Cache) -> None:
    """A temporary file of two hours ago is left over; one of this minute is being written."""
    folder = cache.file("a" * 64, "demo-1.0-py3-none-any.whl").parent
    for name, age in ((".part-old", 7200), (".part-new", 0)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age,) * 2)
    prune(cache)
    assert sorted(path.name for path in folder.iterdir()) == [".part-new", "demo-1.0-py3-none-any.whl"]


def test_links_are_not_followed(cache: Cache, tmp_path: Path) -> None:
    """A link to a folder elsewhere is left, and nothing behind it is touched."""
    (outside := tmp_path / "outside").mkdir()
    (outside / "file").write_bytes(b"x")
    (cache.root / "linked").symlink_to(outside)
    prune(cache, everything=True)
    assert (outside / "file").is_file()


def _use(directory: Path, begun: Event, seconds: float) -> None:
    with Cache(directory).in_use():
        begun.set()
        time.sleep(seconds)


def test_commands_that_use_the_cache_are_waited_for(cache: Cache) -> None:
    """Nothing is removed under a process that installs from the cache."""
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    user = context.Process(target=_use, args=(cache.directory, begun, 0.4))
    user.start()
    assert begun.wait(10)
    started = time.monotonic()
    prune(cache, everything=True)
    assert time.monotonic() - started > 0.2
    user.join()
