"""`tfenv build --format oci` with a registry that lies, a cache that rots, and a folder that leads elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from tests.support.hostile_registry import HostileRegistry
from tests.support.hostile_wheels import FILENAME, FRAMES, STREAMS
from tests.support.index_server import FakeIndex
from tests.support.locks import cpu_lock, package
from tfenv.cli.app import run
from tfenv.image.oci import NewImage
from tfenv.model.progress import Silent
from tfenv.outputs import pylock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTSIDE = "sha256:../../outside/made"


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    """A registry on 127.0.0.1."""
    with HostileRegistry() as running:
        yield running


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """An index on 127.0.0.1."""
    with FakeIndex() as running:
        yield running


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: FakeIndex) -> Path:
    """A project with a lock of one wheel, its own cache, and no engine."""
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    (folder := tmp_path / "project").mkdir()
    monkeypatch.chdir(folder)
    lock_of(index, index.add_wheel("tensorflow-cpu", "2.21.0").filename)
    return folder


def lock_of(index: FakeIndex, *filenames: str) -> None:
    """Write a lock of these files of the index."""
    locked = [
        package(
            name,
            sha256=index.files[name].sha256,
            url=f"http://{index.address}/files/{name}",
            size=len(index.files[name].content),
        )
        for name in sorted(filenames)
    ]
    lock = replace(
        cpu_lock(),
        request=replace(cpu_lock().request, indexes=(index.url,)),
        packages=tuple(locked),
        target=replace(cpu_lock().target, python=Version("3.11")),
    )
    Path("pylock.toml").write_text(pylock.dumps(lock), encoding="utf-8")


def build(registry: HostileRegistry, *options: str, reference: str = "") -> int:
    """The exit code of `tfenv build --format oci -o image`."""
    with pytest.raises(SystemExit) as ended:
        run(["build", "--format", "oci", "-o", "image", "--base-image", reference or registry.reference, *options])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def blobs() -> list[Path]:
    """The blobs of the image folder."""
    return sorted(Path("image/blobs/sha256").glob("*"))


def assert_whole() -> None:
    """Every blob is what its name says, and the index is there."""
    assert Path("image/index.json").is_file()
    assert all(hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name for blob in blobs())


def changed(registry: HostileRegistry, **values: Any) -> bytes:
    """The sound manifest with other values."""
    return json.dumps({**registry.document(), **values}).encode()


def layers(registry: HostileRegistry, **values: Any) -> bytes:
    """The sound manifest with another layer."""
    return changed(registry, layers=[{**registry.document()["layers"][0], **values}])


NONSENSE: dict[str, Callable[[HostileRegistry], bytes]] = {
    "list": lambda _: b"[]",
    "number": lambda _: b"3",
    "null": lambda _: b"null",
    "manifests is a number": lambda _: b'{"manifests": 3}',
    "empty": lambda _: b"{}",
    "layers is null": lambda registry: changed(registry, layers=None),
    "size is a string": lambda registry: layers(registry, size="x"),
    "size is true": lambda registry: layers(registry, size=True),
    "nested": lambda _: b"[" * 200_000,
    "digest is a number": lambda registry: changed(registry, config={"digest": 5, "size": 1}),
    "index without a platform": lambda _: b'{"manifests": [{"digest": "sha256:x"}]}',
    "page": lambda _: b"<html>",
    "digest leaves the cache": lambda registry: layers(registry, digest=OUTSIDE),
    "configuration leaves the cache": lambda registry: changed(registry, config={"digest": OUTSIDE, "size": 1}),
    "digest in capitals": lambda registry: layers(registry, digest="sha256:" + "A" * 64),
    "digest with a line break": lambda registry: layers(registry, digest="sha256:" + "a" * 64 + "\n"),
    "another algorithm": lambda registry: layers(registry, digest="sha512:" + "a" * 64),
    "index leaves the cache": lambda _: json.dumps({"manifests": [{"digest": OUTSIDE}]}).encode(),
    "too few layers": lambda registry: changed(registry, layers=[]),
}


@pytest.mark.parametrize("lie", NONSENSE.values(), ids=NONSENSE)
def test_a_manifest_that_is_none_is_refused(
    lie: Callable[[HostileRegistry], bytes],
    registry: HostileRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 4 with the URL; nothing is asked for by such a name, and nothing is written outside of the cache."""
    registry.manifest = lie(registry)
    registry.blobs[OUTSIDE] = b"attacker"
    assert build(registry) == 4
    error = capsys.readouterr().err
    assert "/v2/base/python/manifests/3.11" in error
    assert "Traceback" not in error
    assert not any(".." in path for path in registry.asked)
    assert not [path for path in tmp_path.rglob("*") if "outside" in path.name or path.name == "made"]
    assert not Path("image/index.json").exists()


def test_a_file_of_the_host_does_not_become_a_layer(registry: HostileRegistry, tmp_path: Path) -> None:
    """A digest that leads to a file called `layer` is refused, although the file has the size and the hash."""
    (secret := tmp_path / "cache" / "v1" / "secret").mkdir(parents=True)
    (tmp_path / "cache").chmod(0o700)
    (secret / "layer").write_bytes(registry.layer)
    registry.manifest = layers(registry, digest="sha256:../../secret")
    assert build(registry) == 4
    assert not Path("image").exists()


def test_a_pinned_digest_is_not_answered_with_another_manifest(
    registry: HostileRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 9, and no image."""
    pinned = registry.reference.replace(":3.11", f"@sha256:{'0' * 64}")
    assert build(registry, reference=pinned) == 9
    assert f"not sha256:{'0' * 64}" in capsys.readouterr().err
    assert not Path("image/index.json").exists()


@pytest.mark.parametrize("lie", [lambda data: data[:-1], lambda data: data + b"x", lambda data: bytes(len(data))])
def test_a_blob_with_other_contents_is_refused(lie: Callable[[bytes], bytes], registry: HostileRegistry) -> None:
    """Shorter, longer, or different: exit code 9, and the cache keeps nothing of it."""
    name = registry.document()["layers"][0]["digest"]
    registry.blobs[name] = lie(registry.layer)
    assert build(registry) == 9
    assert not Path("image/index.json").exists()
    registry.blobs[name] = registry.layer
    assert build(registry) == 0
    assert_whole()


@pytest.mark.parametrize("part", ["layer", "configuration"])
def test_what_rots_in_the_cache_is_fetched_again(part: str, registry: HostileRegistry, tmp_path: Path) -> None:
    """A base layer and a configuration are hashed at every use."""
    assert build(registry) == 0
    before = Path("image/index.json").read_bytes()
    content: bytes = getattr(registry, part)
    (kept,) = (path for path in (tmp_path / "cache").rglob("layer") if path.read_bytes() == content)
    kept.write_bytes(content[:-40] + bytes(40))
    Path("image").rename("old")
    assert build(registry) == 0
    assert_whole()
    assert Path("image/index.json").read_bytes() == before
    assert kept.read_bytes() == content


def test_what_rots_in_the_folder_is_written_again(registry: HostileRegistry) -> None:
    """A blob of the right size with other bytes is replaced."""
    assert build(registry) == 0
    for blob in blobs():
        blob.write_bytes(bytes(blob.stat().st_size))
    assert build(registry) == 0
    assert_whole()


def test_links_in_the_folder_are_not_followed(registry: HostileRegistry, tmp_path: Path) -> None:
    """A linked file is replaced, a linked folder is refused; the targets stay as they are."""
    (victim := tmp_path / "victim").mkdir()
    (precious := victim / "precious").write_text("mine\n")
    Path("image").mkdir()
    Path("image/index.json").symlink_to(precious)
    assert build(registry) == 0
    assert not Path("image/index.json").is_symlink()
    assert_whole()
    Path("image/blobs").rename("blobs")
    Path("image/blobs").symlink_to(victim)
    assert build(registry) == 10
    assert [*victim.iterdir()] == [precious]
    assert precious.read_text() == "mine\n"


def test_other_images_of_the_folder_are_kept() -> None:
    """Two tags are two entries, one tag again is one."""
    base = {"architecture": "amd64", "os": "linux"}
    for tag, user in (("mine:1", "a"), ("mine:2", "b"), ("mine:2", "c")):
        NewImage(base=base, layers=(), comments=(), settings={"User": user}).write(Path("image"), tag, Silent())
    listed = json.loads(Path("image/index.json").read_bytes())["manifests"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in listed] == ["1", "2"]
    assert_whole()


@pytest.mark.parametrize("make", [*FRAMES.values(), *STREAMS.values()], ids=[*FRAMES, *STREAMS])
def test_a_hostile_wheel_is_not_built(
    make: Callable[[], bytes],
    registry: HostileRegistry,
    index: FakeIndex,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 9 with the name of the wheel, no image, and nothing outside."""
    lock_of(index, index.add_file("evil", FILENAME, make()).filename)
    assert build(registry) == 9
    assert "evil" in capsys.readouterr().err
    assert not Path("image/index.json").exists()
    assert not [*tmp_path.rglob("*outside*"), *Path("/tmp").glob("outside")]


def test_a_cache_of_others_is_refused(
    registry: HostileRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 10 with the mode; a new cache is for its owner alone, whatever the umask."""
    mask = os.umask(0)
    try:
        assert build(registry) == 0
    finally:
        os.umask(mask)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    (tmp_path / "cache").chmod(0o777)
    capsys.readouterr()
    assert build(registry) == 10
    assert "can be written by other users (mode 777)" in capsys.readouterr().err
