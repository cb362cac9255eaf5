"""Pages of an index, in either form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.version import Version

from tfenv.index.kept import lines_of, releases_of
from tfenv.index.pages import links, parse, releases
from tfenv.model.package import File, Name

URL = "https://pypi.example.com/simple/foo-bar/"
SHA = "ab" * 32


def from_json(*files: object, **page: object) -> tuple[File, ...]:
    body = json.dumps({"meta": {"api-version": "1.1"}, "name": "foo-bar", "files": files, **page}).encode()
    kind = "application/vnd.pypi.simple.v1+json"
    return parse(body, kind, url=URL, name=Name("foo-bar"), index="https://pypi.example.com/simple/")


def from_html(body: str, kind: str = "text/html; charset=utf-8") -> tuple[File, ...]:
    return parse(body.encode(), kind, url=URL, name=Name("foo-bar"), index="https://pypi.example.com/simple/")


def entry(filename: str, **more: Any) -> dict[str, Any]:
    return {"filename": filename, "url": f"https://files.example.com/{filename}", "hashes": {"sha256": SHA}, **more}


def test_everything_json_says() -> None:
    """Each field of PEP 691, 700 and 714 arrives."""
    more = {
        "size": 7,
        "upload-time": "2025-08-13T16:53:42.577812Z",
        "requires-python": ">=3.9",
        "yanked": "broken",
        "core-metadata": {"sha256": "cd" * 32},
    }
    (file,) = from_json(entry("foo_bar-1.0-2x-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", **more))
    assert file == File(
        name=Name("foo-bar"),
        version=Version("1.0"),
        filename="foo_bar-1.0-2x-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        url="https://files.example.com/foo_bar-1.0-2x-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256=SHA,
        size=7,
        upload_time=datetime(2025, 8, 13, 16, 53, 42, 577812, tzinfo=UTC),
        requires_python=SpecifierSet(">=3.9"),
        yanked="broken",
        metadata_sha256="cd" * 32,
        tags=frozenset({Tag("cp313", "cp313", p) for p in ("manylinux_2_17_x86_64", "manylinux2014_x86_64")}),
        build=(2, "x"),
        index="https://pypi.example.com/simple/",
    )


def test_what_json_leaves_open() -> None:
    """A field that is absent, null or unreadable is unknown, never invented."""
    (file,) = from_json(
        entry(
            "foo_bar-1.0.tar.gz",
            hashes={"md5": "1"},
            size="big",
            yanked=False,
            **{"upload-time": "lately", "requires-python": "any", "core-metadata": False},
        )
    )
    assert (file.sha256, file.size, file.upload_time, file.requires_python) == (None, None, None, None)
    assert (file.yanked, file.metadata_sha256, file.tags, file.is_wheel) == (None, None, frozenset(), False)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-08-13T16:53:42Z", datetime(2025, 8, 13, 16, 53, 42, tzinfo=UTC)),
        ("2025-08-13T16:53:42.5Z", datetime(2025, 8, 13, 16, 53, 42, 500000, tzinfo=UTC)),
        ("2025-08-13T16:53:42.123456789Z", datetime(2025, 8, 13, 16, 53, 42, 123456, tzinfo=UTC)),
        ("2025-08-13T18:53:42+02:00", datetime(2025, 8, 13, 16, 53, 42, tzinfo=UTC)),
        ("2025-08-13T16:53:42", datetime(2025, 8, 13, 16, 53, 42, tzinfo=UTC)),
    ],
)
def test_upload_times(text: str, moment: datetime) -> None:
    """Any precision and any zone become a moment in UTC."""
    (file,) = from_json(entry("foo_bar-1.0.zip", **{"upload-time": text}))
    assert file.upload_time == moment


def test_metadata_is_promised_in_several_ways() -> None:
    """The newer key wins, `true` promises a file of unknown hash."""
    old, new, both = from_json(
        entry("foo_bar-1.0.zip", **{"dist-info-metadata": True}),
        entry("foo_bar-1.1.zip", **{"core-metadata": {"blake": "1"}}),
        entry("foo_bar-1.2.zip", **{"core-metadata": False, "dist-info-metadata": True}),
    )
    assert (old.metadata_sha256, new.metadata_sha256, both.metadata_sha256) == ("", "", None)


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo-bar-1.0.tar.gz", "1.0"),
        ("foo_bar-1.0.tgz", "1.0"),
        ("Foo.Bar-1.0.tar.bz2", "1.0"),
        ("foo--bar-1.0-2.zip", "1.0.post2"),
        ("foo_bar-2.1rc1.zip", "2.1rc1"),
    ],
)
def test_names_of_source_distributions(filename: str, version: str) -> None:
    """Old and new spellings are told apart from the version."""
    (file,) = from_json(entry(filename))
    assert file.version == Version(version)


@pytest.mark.parametrize(
    "filename",
    [
        "foo_bar-1.0-py2.7.egg",
        "foo_bar-1.0.win32.exe",
        "foo_bar-1.0.linux-x86_64.tar.gz",
        "foo_bar-1.0.tar.xz",
        "foo_bar-latest.tar.gz",
        "foo-1.0.tar.gz",
        "other-1.0-py3-none-any.whl",
        "foo_bar-x-py3-none-any.whl",
        "foo_bar-1.0-any.whl",
        "foo_bar-1.0-x-py3-none-any.whl",
        "../foo_bar-1.0.tar.gz",
        "..\\foo_bar-1.0.tar.gz",
    ],
)
def test_files_left_out(filename: str) -> None:
    """What is neither a wheel nor a source distribution of this project does not exist."""
    assert from_json(entry(filename)) == ()


def test_entries_left_out() -> None:
    """Entries that are no files are passed over, and so are links to elsewhere than http."""
    assert from_json("x", {}, {"filename": "foo_bar-1.0.zip"}, entry("foo_bar-1.0.zip", url="file:///etc/passwd")) == ()


def test_links_lose_credentials_and_fragments() -> None:
    """Nothing secret reaches a lock through the URL of a file, and relative links are completed."""
    one, two = from_json(
        entry("foo_bar-1.0.zip", url="https://u:p@files.example.com/a.zip#x=1"),
        entry("foo_bar-1.1.zip", url="../../files/foo_bar-1.1.zip"),
    )
    assert one.url == "https://files.example.com/a.zip"
    assert two.url == "https://pypi.example.com/files/foo_bar-1.1.zip"


def test_the_first_of_two_entries_counts() -> None:
    """A filename listed twice is one file."""
    (file,) = from_json(entry("foo_bar-1.0.zip", size=1), entry("foo_bar-1.0.zip", size=2))
    assert file.size == 1


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"{", "application/vnd.pypi.simple.v1+json", "Expecting"),
        (b"[]", "application/vnd.pypi.simple.v1+json", "lacks"),
        (b'{"meta": {"api-version": "1.0"}, "files": {}}', "application/vnd.pypi.simple.v1+json", "not a list"),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', "application/vnd.pypi.simple.v1+json", "version 2.0"),
        (b"login", "text/plain", "content type is `text/plain`"),
    ],
)
def test_no_page_at_all(body: bytes, kind: str, words: str) -> None:
    """A body that is no page is an error that says why."""
    with pytest.raises(ValueError, match=words):
        parse(body, kind, url=URL, name=Name("foo-bar"), index="")


def test_everything_html_says() -> None:
    """Attributes, fragment and base of PEP 503, 592, 658 and 714 arrive."""
    wheel, sdist = from_html(
        f"""<!DOCTYPE html><html><head><base href="/root/"></head><body><a>no link</a><a href="">nor this</a>
        <a href="foo_bar-1.0%2Blocal-py3-none-any.whl#sha256={SHA.upper()}" data-requires-python="&gt;=3.9"
           data-yanked="bad &amp; old" data-dist-info-metadata="sha256={"cd" * 32}">text</a>
        <a href="https://files.example.com/foo-bar-1.0.zip?x=1#md5=1" data-yanked data-core-metadata="true">x</a>
        <a href="foo-bar-1.0.exe">x</a></body></html>"""
    )
    assert wheel.url == "https://pypi.example.com/root/foo_bar-1.0%2Blocal-py3-none-any.whl"
    assert wheel.version == Version("1.0+local")
    assert (wheel.sha256, wheel.metadata_sha256, wheel.yanked) == (SHA, "cd" * 32, "bad & old")
    assert wheel.requires_python == SpecifierSet(">=3.9")
    assert sdist.filename == "foo-bar-1.0.zip"
    assert (sdist.sha256, sdist.metadata_sha256, sdist.yanked) == (None, "", "")


def test_the_html_form_of_the_new_type() -> None:
    """The versioned content type is HTML too."""
    (file,) = from_html('<a href="foo-bar-1.0.zip">x</a>', "application/vnd.pypi.simple.v1+html")
    assert file.url == f"{URL}foo-bar-1.0.zip"


def test_releases_are_in_order() -> None:
    """Newest version first, as versions and not as text; files by name."""
    names = ("foo_bar-1.9.zip", "foo_bar-1.10.zip", "foo_bar-1.10-py3-none-any.whl", "foo_bar-2.0rc1.zip")
    grouped = releases(Name("foo-bar"), from_json(*map(entry, names)))
    assert [str(release.version) for release in grouped] == ["2.0rc1", "1.10", "1.9"]
    assert [file.filename for file in grouped[1].files] == ["foo_bar-1.10-py3-none-any.whl", "foo_bar-1.10.zip"]


def test_releases_that_are_kept() -> None:
    """Releases read back from the cache are those of the page, to whoever looks at them, and stay ordinary values."""
    more = {"size": 7, "upload-time": "2025-08-13T16:53:42.5Z", "requires-python": ">=3.9", "yanked": True}
    wheel = entry("foo_bar-1.1-2x-py3-none-any.whl", **more, **{"core-metadata": {"sha256": "cd" * 32}})
    page = {"meta": {"api-version": "1.1"}, "files": [entry("foo_bar-1.1.zip"), entry("foo_bar-1.0.zip"), wheel]}
    body, kind, name = json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json", Name("foo-bar")
    kept = releases_of(lines_of(links(body, kind, url=URL, name=name)), name, "i")
    assert [release.version for release in kept] == [Version("1.1"), Version("1.0")]
    whole = releases(name, parse(body, kind, url=URL, name=name, index="i"))
    assert [release.files for release in kept] == [release.files for release in whole]
    assert kept[0].files is kept[0].files
    assert replace(kept[0], files=()).files == ()
    with pytest.raises(AttributeError):
        kept[0].nothing  # type: ignore[attr-defined]  # noqa: B018
