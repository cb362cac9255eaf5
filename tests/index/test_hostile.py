"""Values of a hostile index: each is parsed or refused in bounded time, and one bad file does not cost its page."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.index_server import FakeIndex
from tfenv.cli.app import run
from tfenv.errors import IndexUnavailable
from tfenv.index import answers, sdist
from tfenv.index.kept import lines_of, releases_of
from tfenv.index.lenient import UNREADABLE, requirements, specifier
from tfenv.index.listing import HTML, JSON
from tfenv.index.metadata import _parsed
from tfenv.index.pages import links
from tfenv.model.package import Name
from tfenv.store.cache import fresh_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOUND = "evil-1.0-py3-none-any.whl"
MANY = 100_000


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Whatever a test parses takes less than two seconds of processor time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 2


def entry(filename: str = SOUND, **fields: Any) -> dict[str, Any]:
    """A file on a page."""
    return {"filename": filename, "url": "https://h/x", "hashes": {"sha256": "0" * 64}, **fields}


def page(*files: object, **fields: Any) -> bytes:
    """A page in JSON."""
    return json.dumps({"meta": {"api-version": "1.1"}, "files": files, **fields}).encode()


def found(body: bytes, kind: str = JSON) -> list[str]:
    """The filenames that tfenv reads off a page, every field of them parsed."""
    name = Name("evil")
    kept = lines_of(links(body, kind, url="https://h/simple/evil/", name=name))
    return [file.filename for release in releases_of(kept, name, "https://h/simple/") for file in release.files]


LONG = "-".join(".".join(f"{letter}{number}" for number in range(150)) for letter in "pal")
TAGS = "-".join(".".join(f"{letter}{number}" for number in range(16)) for letter in "pal")
BAD_FILES = {
    "version of thousands of digits": entry(f"evil-{'1' * 5000}-py3-none-any.whl"),
    "epoch of thousands of digits": entry(f"evil-{'1' * 5000}!1-py3-none-any.whl"),
    "long tags": entry(f"evil-2.0-{LONG}.whl"),
    "many tags": entry(f"evil-2.0-{TAGS}.whl"),
    "dashes": entry(f"evil{'-' * MANY}1.0.tar.gz"),
    "name again and again": entry(f"{'evil-' * MANY}1.0.tar.gz"),
    "line break": entry("evil-2.0-py3-none-any\n\x1b[31m.whl"),
    "folder": entry("evil-2.0-py3-none-any/../../x.whl"),
    "half of a surrogate pair": entry("evil-2.0-py3-none-any.whl", yanked="\ud800"),
    "URL that is none": entry("evil-2.0-py3-none-any.whl", url="http://["),
    "file of the host": entry("evil-2.0-py3-none-any.whl", url="file:///etc/passwd"),
    "no object": 5,
}


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_costs_that_file(bad: object) -> None:
    """The other file of the page is still there."""
    assert found(page(bad, entry())) == [SOUND]


@pytest.mark.parametrize(
    "number", [b"1e999", b"9" * 5000, b"99999999999999999999", b"-1", b"true", b'"5"', b"null", b"1.5"]
)
@pytest.mark.parametrize("gap", [b" ", b"\n"])
def test_a_size_that_is_none_is_unknown(number: bytes, gap: bytes) -> None:
    """Or it costs the file, where a number is out of the range of JSON; never the page."""
    body = page(entry("evil-2.0-py3-none-any.whl", size="SIZE"), entry()).replace(b'"SIZE"', number + gap)
    assert SOUND in found(body)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x", "²"])
def test_a_moment_that_is_none_is_unknown(moment: str) -> None:
    """Also one that no year of UTC has."""
    assert found(page(entry(**{"upload-time": moment}))) == [SOUND]


def test_a_byte_that_is_no_text_does_not_cost_the_page() -> None:
    """It becomes the replacement character."""
    assert found(page(entry(yanked="XX")).replace(b"XX", b"\xff")) == [SOUND]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"meta":{"api-version":"1.1","x":' + b"[" * MANY + b"]" * MANY + b'},"files":[]}', JSON),
        (b'{"meta":{"api-version":"1.1"},\n"files":[],"x":' + b"[" * MANY + b"]" * MANY + b"}", JSON),
        (b'{"meta":{"api-version":"1.1"},"files":[{"x":' + b"[" * MANY + b"]" * MANY + b"}]}", JSON),
        (b"<a " * MANY, HTML),
        (b"<!--" * MANY, HTML),
        (b"<![if " * MANY, HTML),
        (b"<" * MANY * 3, HTML),
        (page(*({"filename": "x", "url": "y"} for _ in range(50_001))), JSON),
    ],
    ids=["nested", "nested, odd", "nested file", "tags", "comments", "declarations", "brackets", "files"],
)
def test_a_page_that_is_none_is_refused(body: bytes, kind: str) -> None:
    """Soon, with an error that the caller turns into exit code 4."""
    with pytest.raises(ValueError, match=r"nested|unfinished|not finished|more than"):
        found(body, kind)


def test_links_that_are_no_urls_cost_themselves() -> None:
    """In HTML too, as a link and as a base."""
    body = f"<base href='http://['><a href='http://['>x</a><a href='{SOUND}'>{SOUND}</a>".encode()
    assert found(body, HTML) == [SOUND]


@pytest.mark.parametrize(
    "line",
    [
        "x " + "." * 300_000,
        "x >=1" + "," * 1_000_000,
        "x >=1" + " " * 1_000_000 + "y",
        "x; " + "(" * 10_000 + "python_version>'3'" + ")" * 10_000,
        "x>=" + "1" * 5000,
        "x; python_version > '\x1b[31m",
    ],
    ids=["dots", "commas", "spaces", "nested", "digits", "escape"],
)
def test_a_requirement_that_is_none_is_named_briefly(line: str) -> None:
    """The reason is short and printable."""
    (requirement,) = requirements([line], source="evil")
    assert requirement.name == UNREADABLE
    assert len(requirement.because) < 400
    assert requirement.because.isprintable()


@pytest.mark.parametrize("text", ["." * 200_000, ">=" + "1" * 5000, "(" * 200_000])
def test_a_python_that_is_none_is_unknown(text: str) -> None:
    """No specifier, soon."""
    assert specifier(text) is None


def test_metadata_of_a_million_lines_is_refused() -> None:
    """Before they are parsed."""
    with pytest.raises(IndexUnavailable, match="more requirements"):
        _parsed(b"".join(b"Requires-Dist: p%d\n" % number for number in range(1_000_000)))


def tarball(header: tarfile.TarInfo, times: int = 1, data: bytes = b"") -> bytes:
    """A compressed archive with the same header again and again."""
    padded = data + bytes(-len(data) % tarfile.BLOCKSIZE)
    return gzip.compress((header.tobuf(tarfile.GNU_FORMAT) + padded) * times + bytes(1024), 1)


def header(kind: bytes, size: int) -> tarfile.TarInfo:
    """A header of a kind that describes the next."""
    made = tarfile.TarInfo("x")
    made.type, made.size = kind, size
    return made


@pytest.mark.parametrize(
    "archive",
    [
        tarball(header(tarfile.XHDTYPE, 2**30)),
        tarball(header(tarfile.GNUTYPE_LONGNAME, 2**30)),
        tarball(header(tarfile.GNUTYPE_LONGNAME, 5), 3000, b"name\0"),
    ],
    ids=["pax header of a GiB", "name of a GiB", "names in a row"],
)
def test_a_source_distribution_with_endless_headers_is_refused(archive: bytes) -> None:
    """Without holding them in memory."""
    with pytest.raises(ValueError, match="cannot be read"):
        sdist.declared(archive, "evil-1.0.tar.gz")


def test_a_source_distribution_with_endless_fields_is_refused() -> None:
    """A field of 4 MiB of empty lines."""
    content = b"Metadata-Version: 2.2\nRequires-Dist: x" + b"\n " * 2_000_000
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("evil-1.0/PKG-INFO")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(ValueError, match="more requirements"):
        sdist.declared(out.getvalue(), "evil-1.0.tar.gz")


@pytest.mark.parametrize(
    "text",
    [
        "²",
        "9" * 400,
        "soon",
        "Mon, 30 Nov 2026 14:00:00 +99999999999999999999",
        "Mon, 30 Nov 0000 14:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ],
)
def test_a_pause_that_is_none_is_no_pause(text: str) -> None:
    """Digits that are no number, and dates that do not exist."""
    assert answers._retry_after(text) == 0.0


@pytest.mark.parametrize("age", ["9" * 400, "9" * 5000, "315360000"])
def test_no_page_is_fresh_for_more_than_a_day(age: str) -> None:
    """Whatever the server says."""
    assert fresh_until({"cache-control": f"max-age={age}", "age": "²"}, now=1000.0) == 87400.0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Retry-After": "\xb2"}, 503),
        ({"Cache-Control": "max-age=" + "9" * 400}, None),
        ({"ETag": '"\xe9"'}, None),
        ({"Location": "http://[::1"}, 302),
        ({"Location": "file:///etc/passwd"}, 302),
        ({"Location": "http://bob:S3cr3t@127.0.0.1:99999/x/"}, 302),
    ],
)
def test_odd_headers_end_the_command_as_any_fault_does(
    headers: dict[str, str],
    status: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 0 after a repetition, or 4; no password and no fault of tfenv."""
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with FakeIndex() as index:
        for project in ("tensorflow", "tensorflow-cpu"):
            index.add_wheel(project, "2.20.0", requires=["evil"], tags="cp311-cp311-manylinux_2_27_x86_64")
        index.add_wheel("evil", "1.0")
        index.fault("/simple/evil/", status=status, headers=headers, times=1 if status == 503 else 9)
        with pytest.raises(SystemExit) as ended:
            run(["lock", "--gpu", "none", "--python", "3.11", "--index-url", index.url, "-q"])
    assert ended.value.code == (4 if status == 302 else 0)
    assert "S3cr3t" not in capsys.readouterr().err
