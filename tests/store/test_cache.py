"""The cache on disk."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tfenv.store.cache import PAGE_LIFETIME, Cache, StoredPage, fresh_until

if TYPE_CHECKING:
    from pathlib import Path


def page(body: bytes = b"body\nmore", until: float = 0.0) -> StoredPage:
    return StoredPage(
        url="https://a/", status=200, content_type="text/html", etag='"1"', last_modified="", until=until, body=body
    )


def entries(cache: Cache) -> list[Path]:
    return [path for path in cache.directory.rglob("*") if path.is_file()]


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Pages and documents are returned as they were stored, others are not there."""
    cache = Cache(tmp_path)
    assert cache.page("https://a/") is None
    cache.keep_page("https://a/", page())
    cache.keep_document("k", {"a": ["b", None]})
    assert Cache(tmp_path).page("https://a/") == page()
    assert Cache(tmp_path).document("k") == {"a": ["b", None]}
    assert cache.page("https://b/") is None


def test_freshness() -> None:
    """Fresh until its time has come."""
    assert page(until=time.time() + 60).fresh
    assert not page(until=time.time() - 1).fresh


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b"", lambda b: b + b"x", lambda b: b"x" + b])
def test_damaged_entries_are_missing(tmp_path: Path, harm: object) -> None:
    """An entry cut short or changed is not there."""
    assert callable(harm)
    cache = Cache(tmp_path)
    cache.keep_page("https://a/", page())
    (entry,) = entries(cache)
    entry.write_bytes(harm(entry.read_bytes()))
    assert cache.page("https://a/") is None


def test_entries_of_another_shape_are_missing(tmp_path: Path) -> None:
    """A sound entry that is no page is no page."""
    cache = Cache(tmp_path)
    cache.keep_page("https://a/", page())
    (entry,) = entries(cache)
    cache.keep_document("k", {"no": "page"})
    (document,) = (path for path in entries(cache) if path != entry)
    entry.write_bytes(document.read_bytes())
    assert cache.page("https://a/") is None


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    """Writers at the same moment leave one whole entry and no temporary files."""
    cache = Cache(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: cache.keep_page("https://a/", page(b"%d" % i * 10_000)), range(40)))
    assert len(entries(cache)) == 1
    assert cache.page("https://a/") is not None


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    """It only makes things slower."""
    (tmp_path / "v1").write_text("a file where the folder should be")
    cache = Cache(tmp_path)
    cache.keep_page("https://a/", page())
    assert cache.page("https://a/") is None


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TFENV_CACHE_DIR is respected, else the system's place is taken."""
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "x"))
    assert Cache().directory == tmp_path / "x"
    monkeypatch.delenv("TFENV_CACHE_DIR")
    assert "tfenv" in str(Cache().directory)
    assert Cache(tmp_path).file("ab" * 32, "x.whl").name == "x.whl"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, PAGE_LIFETIME),
        ({"cache-control": "public"}, PAGE_LIFETIME),
        ({"cache-control": "max-age=60, public"}, 60),
        ({"cache-control": "Max-Age = 60", "age": "20"}, 40),
        ({"cache-control": "max-age=60", "age": "old"}, 60),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "no-store"}, 0),
    ],
)
def test_lifetimes(headers: dict[str, str], seconds: int) -> None:
    """What the server says counts; where it says nothing, our own short lifetime."""
    assert fresh_until(headers, now=1000.0) == 1000.0 + seconds


def test_entries_are_readable_by_people(tmp_path: Path) -> None:
    """The second line of an entry is JSON that says where it came from."""
    cache = Cache(tmp_path)
    cache.keep_page("https://a/", page())
    (entry,) = entries(cache)
    assert json.loads(entry.read_bytes().split(b"\n")[1])["url"] == "https://a/"
