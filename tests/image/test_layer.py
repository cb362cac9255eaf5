"""Layers made of wheels: what is in them, and that nothing but the wheels decides their bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tfenv.errors import IntegrityError
from tfenv.image.layer import EPOCH, Layer, LayerEntry, folder, wheel_entries

if TYPE_CHECKING:
    from pathlib import Path

SITE = "/opt/venv/lib/python3.12/site-packages"
SCHEMES = {
    "purelib": SITE,
    "platlib": SITE,
    "scripts": "/opt/venv/bin",
    "data": "/opt/venv",
    "headers": "/opt/venv/inc",
}
PYTHON = "/opt/venv/bin/python"
NOISE = bytes(range(256)) * 3000
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: {}\nTag: py3-none-any\n"


def make(path: Path, files: dict[str, bytes], *, stored: bool = False, pure: bool = True) -> Path:
    """A wheel of the project `demo`, its members compressed as wheels on PyPI are."""
    info = "demo-1.dist-info"
    texts = {**files, f"{info}/WHEEL": WHEEL.format(str(pure).lower()).encode(), f"{info}/METADATA": b"Name: demo\n"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in texts.items():
            archive.writestr(zipfile.ZipInfo(name), content, archive.compression)
        rows = "".join(
            f"{name},sha256={hashlib.sha256(content).hexdigest()},{len(content)}\n" for name, content in texts.items()
        )
        archive.writestr(f"{info}/RECORD", f"{rows}{info}/RECORD,,\n")
    return path


def read(layer: Layer) -> dict[str, tarfile.TarInfo]:
    """The members of a layer, by name."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer.pieces())), mode="r:gz") as archive:
        return {member.name: member for member in archive.getmembers()}


def content(layer: Layer, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer.pieces())), mode="r:gz") as archive:
        stream = archive.extractfile(name)
        assert stream is not None
        return stream.read()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """With data, a script, an entry point and something large."""
    return make(
        tmp_path / "demo-1-py3-none-any.whl",
        {
            "demo/__init__.py": b"",
            "demo/large.bin": NOISE,
            "demo-1.data/scripts/tool": b"#!python\nprint(1)\n",
            "demo-1.data/data/share/demo.txt": b"x",
            "demo-1.dist-info/entry_points.txt": b"[console_scripts]\nrun = demo:main\n",
        },
    )


def test_a_wheel_is_installed(demo: Path) -> None:
    """Files of every scheme, scripts for the Python of the image, and a RECORD of it all."""
    layer = Layer("demo", wheel_entries(demo, SCHEMES, PYTHON))
    site = SITE.lstrip("/")
    assert content(layer, f"{site}/demo/large.bin") == NOISE
    assert content(layer, "opt/venv/share/demo.txt") == b"x"
    assert content(layer, "opt/venv/bin/tool") == b"#!/opt/venv/bin/python\nprint(1)\n"
    assert content(layer, "opt/venv/bin/run").startswith(b"#!/opt/venv/bin/python\n")
    assert content(layer, f"{site}/demo-1.dist-info/INSTALLER") == b"tfenv\n"
    record = content(layer, f"{site}/demo-1.dist-info/RECORD").decode()
    assert {line.partition(",")[0] for line in record.splitlines()} >= {
        "demo/large.bin", "../../../bin/tool", "../../../bin/run", "../../../share/demo.txt", "demo-1.dist-info/RECORD",
    }  # fmt: skip
    members = read(layer)
    assert {oct(members[name].mode) for name in ("opt/venv/bin/tool", "opt/venv/bin/run")} == {"0o755"}
    assert {(member.mtime, member.uid, member.uname) for member in members.values()} == {(EPOCH, 0, "")}


def test_folders_come_first_and_once(demo: Path) -> None:
    """Sorted, so that the order of the wheel does not matter; parents are told too."""
    names = list(read(Layer("demo", wheel_entries(demo, SCHEMES, PYTHON))))
    assert names[:3] == ["opt", "opt/venv", "opt/venv/bin"]
    assert len(names) == len(set(names))
    for name in names:
        assert "/" not in name or name.rpartition("/")[0] in names[: names.index(name)]


def test_what_is_measured_is_what_comes(demo: Path) -> None:
    """The digests and the size are those of the bytes; the bytes of the wheel stand in them as they are."""
    layer = Layer("demo", wheel_entries(demo, SCHEMES, PYTHON))
    told, data = layer.measure(), b"".join(layer.pieces())
    assert (told.digest, told.size) == (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
    assert told.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}"
    assert len(data) < len(NOISE) / 10


@pytest.mark.skipif(os.name == "nt", reason="no gzip")
def test_gzip_itself_reads_it(demo: Path, tmp_path: Path) -> None:
    """Members one behind the other are one file to every reader."""
    (path := tmp_path / "layer.gz").write_bytes(b"".join(Layer("demo", wheel_entries(demo, SCHEMES, PYTHON)).pieces()))
    subprocess.run(["gzip", "--test", str(path)], check=True)


def test_neither_folder_nor_time_nor_host_matter(demo: Path, tmp_path: Path) -> None:
    """Another folder, another process with another time zone, hash seed and umask: the same digest."""
    other = tmp_path / "elsewhere" / demo.name
    other.parent.mkdir()
    other.write_bytes(demo.read_bytes())
    os.utime(other, (1, 1))
    program = (
        "import os, sys; os.umask(0o077)\n"
        "from pathlib import Path\n"
        "from tfenv.image.layer import Layer, wheel_entries\n"
        f"print(Layer('demo', wheel_entries(Path(sys.argv[1]), {SCHEMES!r}, {PYTHON!r})).measure().digest)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(other)],
        env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == Layer("demo", wheel_entries(demo, SCHEMES, PYTHON)).measure().digest


def test_a_wheel_that_compresses_nothing(tmp_path: Path) -> None:
    """Its contents are stored in the layer too."""
    wheel = make(tmp_path / "demo-1-py3-none-any.whl", {"demo.bin": NOISE}, stored=True)
    layer = Layer("demo", wheel_entries(wheel, SCHEMES, PYTHON))
    assert content(layer, f"{SITE}/demo.bin".lstrip("/")) == NOISE
    assert layer.measure().size > len(NOISE)


def test_long_and_foreign_names(tmp_path: Path) -> None:
    """Names longer than the field of a tar header, and such as are not ASCII."""
    name = f"{'long' * 40}/ä.txt"
    wheel = make(tmp_path / "demo-1-py3-none-any.whl", {name: b"1"})
    assert content(Layer("demo", wheel_entries(wheel, SCHEMES, PYTHON)), f"{SITE}/{name}".lstrip("/")) == b"1"


def test_own_entries() -> None:
    """Text, links, and folders of a user."""
    layer = Layer(
        "own", [LayerEntry(path="a/b", data=b"1"), LayerEntry(path="a/c", link="b"), folder("home/me", owner=1000)]
    )
    members = read(layer)
    assert (members["a/c"].issym(), members["a/c"].linkname) == (True, "b")
    assert (members["home/me"].isdir(), members["home/me"].uid, members["home"].uid) == (True, 1000, 0)


@pytest.mark.parametrize(
    "name", ["../../evil.py", "/etc/passwd", "demo-1.data/data/../../../evil", "demo-1.data/what/x"]
)
def test_a_wheel_that_wants_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    """Outside of the environment, or into a scheme that there is not."""
    wheel = make(tmp_path / "demo-1-py3-none-any.whl", {name: b""})
    with pytest.raises(IntegrityError, match=r"demo-1-py3-none-any\.whl"):
        wheel_entries(wheel, SCHEMES, PYTHON)


def test_a_damaged_wheel_is_noticed(demo: Path) -> None:
    """The checksum of every file is checked when it is measured."""
    entries = wheel_entries(demo, SCHEMES, PYTHON)
    with zipfile.ZipFile(demo) as archive:
        offset = archive.getinfo("demo/large.bin").header_offset + 200
    data = bytearray(demo.read_bytes())
    data[offset] ^= 0xFF
    demo.write_bytes(data)
    with pytest.raises(IntegrityError, match="`demo` is damaged"):
        Layer("demo", entries).measure()


@pytest.mark.parametrize("data", [b"", b"no zip"])
def test_no_wheel(data: bytes, tmp_path: Path) -> None:
    """The error names the file."""
    (path := tmp_path / "demo-1-py3-none-any.whl").write_bytes(data)
    with pytest.raises(IntegrityError, match=r"demo-1-py3-none-any\.whl"):
        wheel_entries(path, SCHEMES, PYTHON)
