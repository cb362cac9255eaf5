"""Files into the cache."""

from __future__ import annotations

import multiprocessing
import os
import random
from functools import partial
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.index_server import FakeIndex
from tfenv.errors import IndexUnavailable, IntegrityError, TfenvError
from tfenv.index.client import Client
from tfenv.index.download import TASK, download
from tfenv.model.package import File, Name
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.index_server import Published

quick = partial(Client, pause=0.001, http2=False)


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as fake:
        yield fake


def listed(index: FakeIndex, published: Published, **change: object) -> File:
    fields = {"sha256": published.sha256, "size": len(published.content), **change}
    return File(
        name=Name(published.project),
        version=Version("1.0"),
        filename=published.filename,
        url=f"http://{index.address}/files/{published.filename}",
        **fields,  # type: ignore[arg-type]
    )


def wheel(index: FakeIndex, name: str = "demo", size: int = 3_000_000) -> Published:
    return index.add_wheel(name, "1.0", members={"data": random.Random(name).randbytes(size)})


def parts(cache: Cache) -> list[Path]:
    return list(cache.directory.rglob(".part-*"))


def test_files_arrive_whole(index: FakeIndex, tmp_path: Path) -> None:
    """Each file lies where its hash says, and the second time nothing is fetched."""
    published = [wheel(index, f"p{i}", 300_000) for i in range(8)]
    files = [listed(index, one) for one in published]
    cache = Cache(tmp_path)
    for _ in range(2):
        found = download(files, cache=cache, client=quick)
        assert list(found) == [file.filename for file in files]
        assert [path.read_bytes() for path in found.values()] == [one.content for one in published]
    assert len(index.requests) == 8
    assert download(files, cache=cache, offline=True) == found
    assert parts(cache) == []


def test_faults_on_the_way(index: FakeIndex, tmp_path: Path) -> None:
    """A broken transfer starts over; progress ends at the true number of bytes."""
    published = wheel(index)
    index.fault("/files/", cut=2_000_000)
    index.fault("/files/", status=503)
    told: list[int] = []

    class Listener:
        def start(self, task: str, total: int | None = None) -> None:
            assert (task, total) == (TASK, len(published.content))

        def advance(self, task: str, amount: int = 1) -> None:
            told.append(amount)

        def finish(self, task: str) -> None: ...

    found = download([listed(index, published)], cache=Cache(tmp_path), progress=Listener(), client=quick)
    assert found[published.filename].read_bytes() == published.content
    assert sum(told) == len(published.content)


def test_a_wrong_hash(index: FakeIndex, tmp_path: Path) -> None:
    """Exit 9, the file is gone, and other downloads are given up."""
    files = [listed(index, wheel(index, "good")), listed(index, wheel(index, "bad"), sha256="0" * 64)]
    cache = Cache(tmp_path)
    with pytest.raises(IntegrityError, match="has the SHA-256") as caught:
        download(files, cache=cache, client=quick)
    assert caught.value.exit_code == 9
    assert not cache.file("0" * 64, files[1].filename).exists()
    assert parts(cache) == []


def test_a_short_file_is_tried_again(index: FakeIndex, tmp_path: Path) -> None:
    """A body that ends early without HTTP noticing is a broken transfer, not a forgery."""
    published = wheel(index)
    index.fault("/files/", body=published.content[:1000])
    found = download([listed(index, published)], cache=Cache(tmp_path), client=quick)
    assert found[published.filename].read_bytes() == published.content


def test_a_damaged_file_in_the_cache(index: FakeIndex, tmp_path: Path) -> None:
    """It is noticed and fetched anew."""
    published = wheel(index)
    cache = Cache(tmp_path)
    place = cache.file(published.sha256, published.filename)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"damaged")
    assert download([listed(index, published)], cache=cache, client=quick)[published.filename] == place
    assert place.read_bytes() == published.content


def test_what_cannot_be_had(index: FakeIndex, tmp_path: Path) -> None:
    """A missing file, an offline miss, a dead server: IndexUnavailable; no hash: IntegrityError."""
    file = listed(index, wheel(index))
    cache = Cache(tmp_path)
    with pytest.raises(IndexUnavailable, match="not in the cache"):
        download([file], cache=cache, offline=True)
    index.fault("/files/", status=404)
    with pytest.raises(IndexUnavailable, match="answered 404"):
        download([file], cache=cache, client=quick)
    index.fault("/files/", status=500, times=99)
    with pytest.raises(IndexUnavailable, match="failed 5 times"):
        download([file], cache=cache, client=quick)
    with pytest.raises(IntegrityError, match="the index lists no SHA-256"):
        download([listed(index, index.files[file.filename], sha256=None)], cache=cache)
    assert parts(cache) == []


def test_a_cache_that_cannot_be_written(index: FakeIndex, tmp_path: Path) -> None:
    """Where to put it is then the question."""
    (tmp_path / "v1").write_text("")
    with pytest.raises(TfenvError, match="cannot be written") as caught:
        download([listed(index, wheel(index))], cache=Cache(tmp_path), client=quick)
    assert caught.value.hint is not None
    assert "TFENV_CACHE_DIR" in caught.value.hint


def _in_another_process(file: File, directory: Path) -> None:
    download([file], cache=Cache(directory), client=quick)


def test_two_processes_fetch_a_file_once(index: FakeIndex, tmp_path: Path) -> None:
    """The second waits for the first and takes what it brought."""
    file = listed(index, wheel(index))
    index.fault("/files/", seconds=0.5)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_in_another_process, args=(file, tmp_path)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(index.requests) == 1


def test_what_was_checked_is_not_hashed_again_until_it_is_touched(index: FakeIndex, tmp_path: Path) -> None:
    """A file whose hash was right is trusted until something writes to it, even with its times set back."""
    published = wheel(index)
    file, cache = listed(index, published), Cache(tmp_path)
    place = download([file], cache=cache, client=quick)[published.filename]
    before = place.stat()
    place.write_bytes(bytes(len(published.content)))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert download([file], cache=cache, client=quick)[published.filename].read_bytes() == published.content
    assert len(index.requests) == 2
    assert download([file], cache=cache, offline=True)[published.filename] == place
