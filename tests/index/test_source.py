"""Indexes as a source: pages, metadata and what is kept of them."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.index_server import FakeIndex, zipped
from tfenv.errors import IndexUnavailable, IntegrityError, UsageError
from tfenv.index.client import Client
from tfenv.index.source import METADATA, PAGES, IndexSource
from tfenv.model.package import Name
from tfenv.store.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfenv.model.package import File, Metadata


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as fake:
        yield fake


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return Cache(tmp_path / "cache")


def source(index: FakeIndex | str, cache: Cache, **options: object) -> IndexSource:
    url = index if isinstance(index, str) else index.url
    return IndexSource([url], cache=cache, client=partial(Client, pause=0.001), **options)  # type: ignore[arg-type]


def versions(of: IndexSource, name: str) -> list[str]:
    return [str(release.version) for release in of.releases(Name(name))]


def only(of: IndexSource, name: str) -> File:
    (release,) = of.releases(Name(name))
    return release.files[0]


def read(index: FakeIndex, cache: Cache, name: str = "demo", **options: object) -> Metadata:
    with source(index, cache, **options) as opened:
        return opened.metadata(only(opened, name))


@pytest.mark.parametrize("json_pages", [True, False])
def test_releases(index: FakeIndex, cache: Cache, *, json_pages: bool) -> None:
    """Both forms of page give the same releases: newest first, yanked and pre-releases included."""
    index.json_pages = json_pages
    index.add_wheel("demo", "1.9", yanked="broken")
    index.add_wheel("demo", "1.10", requires_python=">=3.9")
    index.add_sdist("demo", "1.10")
    index.add_wheel("demo", "2.0rc1")
    with source(index, cache) as opened:
        found = opened.releases(Name("demo"))
        assert [str(release.version) for release in found] == ["2.0rc1", "1.10", "1.9"]
        assert [file.filename for file in found[1].files] == ["demo-1.10-py3-none-any.whl", "demo-1.10.tar.gz"]
        assert found[1].files[0].requires_python == SpecifierSet(">=3.9")
        assert found[2].files[0].yanked == "broken"
        assert found[0].files[0].index == index.url
        assert opened.releases(Name("unknown")) == ()
        assert opened.releases(Name("__driver")) == ()
    assert index.asked("__driver") == []


def test_json_is_asked_for_first(index: FakeIndex, cache: Cache) -> None:
    """Content negotiation prefers PEP 691 and takes HTML."""
    index.add_wheel("demo", "1.0")
    with source(index, cache) as opened:
        opened.releases(Name("demo"))
    accept = index.requests[0].headers["accept"]
    assert accept.startswith("application/vnd.pypi.simple.v1+json,")
    assert "text/html;q=0.1" in accept


def test_the_first_index_that_knows_a_name_is_the_only_one(index: FakeIndex, cache: Cache) -> None:
    """A higher version on a later index is not even looked at (no dependency confusion)."""
    with FakeIndex() as public:
        index.add_wheel("ours", "1.0")
        public.add_wheel("ours", "99.0")
        public.add_wheel("theirs", "2.0")
        with IndexSource([index.url, public.url.rstrip("/")], cache=cache) as opened:
            assert versions(opened, "ours") == ["1.0"]
            assert versions(opened, "theirs") == ["2.0"]
        assert public.asked("ours") == []


def test_a_failing_first_index_is_not_passed_over(index: FakeIndex, cache: Cache) -> None:
    """Only "not found" sends a name to the next index; a failure could hide that it is known."""
    index.fault("/simple/ours/", status=500, times=99)
    with FakeIndex() as public:
        public.add_wheel("ours", "99.0")
        with (
            IndexSource([index.url, public.url], cache=cache, client=partial(Client, pause=0.001)) as opened,
            pytest.raises(IndexUnavailable, match="failed 5 times"),
        ):
            opened.releases(Name("ours"))
        assert public.requests == []


def test_exclude_newer(index: FakeIndex, cache: Cache) -> None:
    """Files uploaded at or after the moment do not exist; those of unknown age neither, and they are named."""
    index.add_wheel("demo", "1.0", uploaded="2024-01-01T00:00:00Z")
    index.add_wheel("demo", "2.0", uploaded="2024-06-01T00:00:00Z")
    index.add_wheel("demo", "3.0", uploaded=None)
    index.add_wheel("dated", "1.0", uploaded="2024-01-01T00:00:00Z")
    with source(index, cache, exclude_newer=datetime(2024, 6, 1, tzinfo=UTC)) as opened:
        assert versions(opened, "demo") == ["1.0"]
        assert versions(opened, "dated") == ["1.0"]
        assert opened.undated() == {"demo": ("demo-3.0-py3-none-any.whl",)}
    with source(index, cache) as opened:
        assert versions(opened, "demo") == ["3.0", "2.0", "1.0"]
        assert opened.undated() == {}


def test_pages_are_kept(index: FakeIndex, cache: Cache) -> None:
    """A fresh page is not asked for again, by this run or the next; "not found" is, by the next."""
    index.add_wheel("demo", "1.0")
    for _ in range(2):
        with source(index, cache) as opened:
            assert versions(opened, "demo") == versions(opened, "demo") == ["1.0"]
            assert versions(opened, "nothing") == versions(opened, "nothing") == []
    assert [seen.path for seen in index.requests] == ["/simple/demo/", "/simple/nothing/", "/simple/nothing/"]


def test_stale_pages_are_asked_for_again(index: FakeIndex, cache: Cache) -> None:
    """A page without lifetime is fetched anew when it has no ETag, and only confirmed when it has."""
    index.add_wheel("demo", "1.0")
    index.cache_control = "no-cache"
    for etags in (False, True, True):
        index.etags = etags
        with source(index, cache) as opened:
            assert versions(opened, "demo") == ["1.0"]
    assert [seen.status for seen in index.requests] == [200, 200, 304]
    index.add_wheel("demo", "2.0")
    with source(index, cache) as opened:
        assert versions(opened, "demo") == ["2.0", "1.0"]


def test_last_modified_is_used_without_an_etag(index: FakeIndex, cache: Cache) -> None:
    """The weaker validator is sent where there is no stronger."""
    index.add_wheel("demo", "1.0")
    moment = "Wed, 21 Oct 2015 07:28:00 GMT"
    index.fault("/simple/demo/", headers={"Last-Modified": moment, "Cache-Control": "max-age=0"})
    for _ in range(2):
        with source(index, cache) as opened:
            opened.releases(Name("demo"))
    assert index.requests[1].headers["if-modified-since"] == moment


def test_a_broken_page_is_tried_again_and_never_kept(index: FakeIndex, cache: Cache) -> None:
    """Half a page that looks complete to HTTP is noticed, and the cache stays clean."""
    index.add_wheel("demo", "1.0")
    index.fault("/simple/demo/", body=b'{"meta": {"api-', times=2)
    with source(index, cache) as opened:
        assert versions(opened, "demo") == ["1.0"]
    index.fault("/simple/other/", status=200, body=b"<html>log in</html>", times=99)
    with (
        source(index, cache) as opened,
        pytest.raises(IndexUnavailable, match=r"/simple/other/ failed 5 times: the page"),
    ):
        opened.releases(Name("other"))
    assert cache.page(f"{index.url}other/") is None


def test_a_page_kept_by_another_version(index: FakeIndex, cache: Cache) -> None:
    """What cannot be read any more is fetched anew."""
    index.add_wheel("demo", "1.0")
    with source(index, cache) as opened:
        opened.releases(Name("demo"))
    kept = cache.page(f"{index.url}demo/")
    assert kept is not None
    cache.keep_page(f"{index.url}demo/", replace(kept, content_type="x/y"))
    with source(index, cache) as opened:
        assert versions(opened, "demo") == ["1.0"]


def test_offline(index: FakeIndex, cache: Cache) -> None:
    """Only what is cached, however stale; the rest says what to do."""
    index.cache_control = "no-cache"
    index.add_wheel("demo", "1.0", requires=["six"])
    index.add_wheel("other", "1.0")
    read(index, cache)
    asked = len(index.requests)
    with source(index, cache, offline=True) as opened:
        assert [str(requirement) for requirement in opened.metadata(only(opened, "demo")).requires] == ["six"]
        with pytest.raises(IndexUnavailable, match="not in the cache") as caught:
            opened.releases(Name("other"))
        assert caught.value.hint is not None
    with source(index, cache) as opened:
        other = only(opened, "other")
    with source(index, cache, offline=True) as opened, pytest.raises(IndexUnavailable, match=r"metadata of other-1\.0"):
        opened.metadata(other)
    assert len(index.requests) == asked + 1


def test_metadata_by_its_own_file(index: FakeIndex, cache: Cache) -> None:
    """PEP 658: the wheel itself is not touched."""
    index.add_wheel("demo", "1.0", requires=["six>=1", "x; extra == 'a'"], requires_python=">=3.8", extras=["A_b"])
    found = read(index, cache)
    assert [str(requirement) for requirement in found.requires] == ["six>=1", 'x; extra == "a"']
    assert found.requires_python == SpecifierSet(">=3.8")
    assert (found.extras, found.dynamic, found.source) == (frozenset({"a-b"}), False, "demo-1.0-py3-none-any.whl")
    assert [seen.path for seen in index.asked("/files/")] == ["/files/demo-1.0-py3-none-any.whl.metadata"]


def test_metadata_file_with_a_wrong_hash(index: FakeIndex, cache: Cache) -> None:
    """What is not what the index promised is refused and not kept."""
    index.add_wheel("demo", "1.0")
    index.fault(".metadata", body=b"Metadata-Version: 2.1\n\n")
    with pytest.raises(IntegrityError, match="metadata does not have the hash"):
        read(index, cache)
    assert read(index, cache).requires == ()


@pytest.mark.parametrize(("promised", "json_pages"), [(True, True), (False, True), (False, False)])
def test_metadata_by_ranges(index: FakeIndex, cache: Cache, *, promised: bool, json_pages: bool) -> None:
    """Without a metadata file (or with one that is not served) a few ranges of the wheel are read."""
    index.metadata = promised
    index.json_pages = json_pages  # an HTML page does not say how long the file is: one request more
    big = {f"demo/{i}": hashlib.sha512(bytes([i])).digest() * 400 for i in range(250)}
    content = len(index.add_wheel("demo", "1.0", requires=["six"], members=big).content)
    index.fault(".metadata", status=404)
    assert [str(requirement) for requirement in read(index, cache).requires] == ["six"]
    asked = index.asked("demo-1.0-py3-none-any.whl")[1 if promised else 0 :]
    assert {seen.status for seen in asked} == {206}
    assert len(asked) == (1 if json_pages else 2)
    assert sum(seen.sent for seen in asked) < content


def test_metadata_by_the_whole_wheel(index: FakeIndex, cache: Cache) -> None:
    """Without ranges the wheel is fetched once, checked, and kept for the installation."""
    index.metadata = index.ranges = False
    wheel = index.add_wheel("demo", "1.0", requires=["six"])
    assert [str(requirement) for requirement in read(index, cache).requires] == ["six"]
    assert cache.file(wheel.sha256, wheel.filename).read_bytes() == wheel.content
    wheel.sha256 = "0" * 64
    with pytest.raises(IntegrityError):
        read(index, Cache(cache.directory / "other"))


@pytest.mark.parametrize("content", [b"no archive" * 20, zipped({"x": b"1"}), zipped({"a-1.dist-info/METADATA": b""})])
def test_wheels_without_metadata(index: FakeIndex, cache: Cache, content: bytes) -> None:
    """A wheel that is none, or holds another's metadata, is named."""
    index.add_file("demo", "demo-1.0-py3-none-any.whl", content)
    with pytest.raises(IndexUnavailable, match=r"demo-1\.0-py3-none-any\.whl is not a valid wheel"):
        read(index, cache)


def test_metadata_of_a_source_distribution(index: FakeIndex, cache: Cache) -> None:
    """Read from the archive, checked, marked as what may change; the second time from the cache."""
    sdist = index.add_sdist("demo", "1.0", files={"demo.egg-info/requires.txt": "six\n[a]\nx\n", "setup.py": "1/0"})
    for _ in range(2):
        found = read(index, cache)
        assert [str(requirement) for requirement in found.requires] == ["six", 'x; extra == "a"']
        assert (found.extras, found.dynamic) == (frozenset({"a"}), True)
    assert len(index.asked("/files/")) == 1
    sdist.sha256 = "0" * 64
    with pytest.raises(IntegrityError, match="SHA-256"):
        read(index, Cache(cache.directory / "other"))


def test_source_distribution_with_a_metadata_file(index: FakeIndex, cache: Cache) -> None:
    """PEP 658 holds for source distributions too; one that is not as promised falls back to the archive."""
    sdist = index.add_sdist("demo", "1.0", requires=["from-archive"], metadata_version="2.2")
    sdist.metadata = b"Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: from-file\n"
    assert [str(requirement) for requirement in read(index, cache).requires] == ["from-file"]
    index.fault(".metadata", body=b"other")
    found = read(index, Cache(cache.directory / "other"))
    assert [str(requirement) for requirement in found.requires] == ["from-archive"]


def test_source_distributions_that_cannot_be_read(index: FakeIndex, cache: Cache) -> None:
    """A damaged archive and one that is not served are named."""
    index.add_file("demo", "demo-1.0.tar.gz", b"no archive")
    with pytest.raises(IndexUnavailable, match="not a valid source distribution"):
        read(index, cache)
    index.add_sdist("gone", "1.0")
    index.fault("/files/gone", status=404)
    with pytest.raises(IndexUnavailable, match=r"gone-1.0.tar.gz answered 404"):
        read(index, cache, "gone")


def test_what_is_expected_is_there_when_asked_for(index: FakeIndex, cache: Cache) -> None:
    """Slow answers overlap, first the pages and then the files, and nothing is asked for twice."""
    names = [Name(f"p{i}") for i in range(20)]
    for name in names:
        index.add_wheel(name, "1.0")
    index.fault("/", seconds=0.4, times=40)
    with source(index, cache) as opened:
        opened.expect(names)
        files = [only(opened, name) for name in names]
        opened.expect(files)
        assert [opened.metadata(file).name for file in files] == names
    assert index.most_at_once >= 10
    assert len(index.requests) == 40


def test_failures_of_what_was_only_expected_do_no_harm(index: FakeIndex, cache: Cache) -> None:
    """A prefetch that fails, or is not done at the end, is forgotten."""
    index.add_wheel("demo", "1.0")
    index.fault("/simple/a/", status=403)
    index.fault("/simple/slow/", seconds=0.3)
    with source(index, cache) as opened:
        opened.expect([Name("a"), Name("slow")])
        assert versions(opened, "demo") == ["1.0"]


def test_many_threads(index: FakeIndex, cache: Cache) -> None:
    """Threads that ask the same at the same moment share one request."""
    index.add_wheel("demo", "1.0")
    index.fault("/simple/demo/", seconds=0.05)
    with source(index, cache) as opened, ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: opened.releases(Name("demo")), range(64)))) == 1
    assert len(index.requests) == 1


def test_credentials_are_used_and_not_told(cache: Cache) -> None:
    """Pages and files of a private index are got with the URL's credentials, which appear in no file and no cache."""
    with FakeIndex(auth=("me", "hunter2")) as private:
        private.add_wheel("demo", "1.0", requires=["six"])
        with source(private.url_with("me", "hunter2"), cache) as opened:
            file = only(opened, "demo")
            opened.metadata(file)
        assert "hunter2" not in f"{file.url} {file.index}"
        stored = b"".join(path.read_bytes() for path in cache.directory.rglob("*") if path.is_file())
        assert b"hunter2" not in stored


def test_an_index_must_be_a_url(cache: Cache) -> None:
    """A path or a word is refused before anything is asked."""
    with pytest.raises(UsageError, match="is not a URL"):
        source("/srv/simple", cache)


def test_the_inside_of_a_wheel(index: FakeIndex, cache: Cache) -> None:
    """Members are read in the caller's own event loop, by ranges or from the cache."""
    wheel = index.add_wheel("demo", "1.0", members={"demo/build_info.py": b"cuda = '12'"})

    async def inside(opened: IndexSource, file: File) -> bytes:
        async with opened.wheel(file) as archive:
            return await archive.read("demo/build_info.py")

    with source(index, cache) as opened:
        file = only(opened, "demo")
        assert asyncio.run(inside(opened, file)) == b"cuda = '12'"
    with source(index, cache, offline=True) as opened:
        with pytest.raises(IndexUnavailable, match="not in the cache"):
            asyncio.run(inside(opened, file))
        place = cache.file(wheel.sha256, wheel.filename)
        place.parent.mkdir(parents=True)
        place.write_bytes(wheel.content)
        assert asyncio.run(inside(opened, file)) == b"cuda = '12'"


def test_damage_that_shows_while_reading(index: FakeIndex, cache: Cache) -> None:
    """A member that is not what the directory says is a fault of the index, and says which wheel."""
    wheel = index.add_wheel("demo", "1.0", members={"demo/data": b"1" * 100})
    wheel.content = wheel.content.replace(b"PK\x03\x04", b"PK\x09\x09")

    async def inside(opened: IndexSource) -> None:
        async with opened.wheel(only(opened, "demo")) as archive:
            await archive.read("demo/data")

    with source(index, cache) as opened, pytest.raises(IndexUnavailable, match=r"demo-1\.0-py3.* local header"):
        asyncio.run(inside(opened))


def test_progress_is_told(index: FakeIndex, cache: Cache) -> None:
    """Each page and each file counts once."""
    told: dict[str, int] = {}

    class Listener:
        def start(self, task: str, total: int | None = None) -> None:
            told[task] = 0

        def advance(self, task: str, amount: int = 1) -> None:
            told[task] += amount

        def finish(self, task: str) -> None:
            told[task] += 100

    index.add_wheel("demo", "1.0")
    read(index, cache, progress=Listener())
    assert told == {PAGES: 101, METADATA: 101}
