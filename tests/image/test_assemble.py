"""`tfenv build --format oci`: images made of wheels, without a container; the same bytes everywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from tests.smoke.wheels import lock_of, source, wheel
from tests.support.base_image import base_image
from tests.support.disk import full_disk
from tests.support.engine_api import FakeEngine
from tests.support.local_registry import local_registry
from tests.support.recorder import Recorder
from tfenv.cli.app import run
from tfenv.errors import HostError, IndexUnavailable, UsageError
from tfenv.image.assemble import assemble
from tfenv.image.engine import Engine
from tfenv.model.lock import BaseImage, Lock, Origin, Stack
from tfenv.model.target import Platform
from tfenv.store.cache import Cache
from tfenv.workflow.build import build, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BASE = "base:1"
LIBRARY = {"nvidia/demo/lib/libdemo.so.1": "", "nvidia/nvcc/nvvm/libdevice.bc": "", "nvidia/nvcc/bin/ptxas": ""}


def tar(files: Mapping[str, bytes]) -> bytes:
    """A layer of a base image."""
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Of wheels and layers."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, cache: Cache) -> Iterator[FakeEngine]:
    """Holds the base image `base:1`, whose layers lie in the cache already."""
    layers = [
        tar({"usr/bin/python3.12": b"", "etc/passwd": b"root:x:0:0::/root:/bin/sh\n", "etc/group": b"old:x:1:\n"}),
        tar({"etc/.wh.group": b"", "usr/local/cuda/x": b""}),
    ]
    configuration = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/base/bin", "LANG=C.UTF-8"], "Labels": {"of": "the base"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(each)}" for each in layers]},
            "history": [{"created_by": "base"}, {"created_by": "base"}],
        }
    ).encode()
    for blob in (configuration, *layers):
        path = cache.file(sha256(blob), "layer")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)
    told = {
        "Id": f"sha256:{sha256(configuration)}",
        "RootFS": {"Layers": [f"sha256:{sha256(each)}" for each in layers]},
    }
    with FakeEngine() as running:
        monkeypatch.setenv("DOCKER_HOST", running.host)
        running.answers |= {f"GET /images/{BASE}/json": (200, told), "GET /images/json": (200, [[]])}
        yield running


def demo_lock(cache: Cache, *, cuda: bool = False, version: str = "1") -> Lock:
    """TensorFlow and a small package; with a CUDA wheel if asked for."""
    packages = [wheel(cache, "tensorflow_cpu", "2.21.0"), wheel(cache, "demo", version)]
    if cuda:
        packages.append(wheel(cache, "nvidia_demo_cu12", "1", LIBRARY))
    lock = lock_of(*packages)
    return replace(
        lock,
        target=replace(lock.target, platform=Platform.LINUX_X86_64, python=Version("3.12")),
        base_image=BaseImage(reference=BASE),
        stack=Stack(origin=Origin.WHEELS if cuda else Origin.NONE),
        environment=(("TF_USE_LEGACY_KERAS", "1"),),
    )


def paths(image: Any) -> dict[str, tarfile.TarInfo]:
    """All members of our layers."""
    found = {}
    for told, layer in image.layers:
        if told.media_type.endswith("gzip"):
            with tarfile.open(fileobj=io.BytesIO(b"".join(layer.pieces())), mode="r:gz") as archive:
                found.update({member.name: member for member in archive.getmembers()})
    return found


def text(image: Any, name: str) -> str:
    for told, layer in reversed(image.layers):
        if told.media_type.endswith("gzip"):
            with tarfile.open(fileobj=io.BytesIO(b"".join(layer.pieces())), mode="r:gz") as archive:
                if name in archive.getnames() and (stream := archive.extractfile(name)) is not None:
                    return stream.read().decode()
    raise LookupError(name)


def test_an_environment_on_the_python_of_the_base(engine: FakeEngine, cache: Cache) -> None:
    """A virtual environment, a user, and what the base says kept where nothing replaces it."""
    image = assemble(demo_lock(cache), cache=cache, offline=True)
    members = paths(image)
    assert members["opt/venv/bin/python3.12"].linkname == "/usr/bin/python3.12"
    assert "home = /usr/bin\n" in text(image, "opt/venv/pyvenv.cfg")
    assert text(image, "etc/passwd") == "root:x:0:0::/root:/bin/sh\ntfenv:x:1000:1000::/home/tfenv:/bin/bash\n"
    assert text(image, "etc/group") == "tfenv:x:1000:\n"  # the second layer of the base took its own away
    assert (members["app"].uid, members["home/tfenv"].uid, members["opt/venv"].uid) == (1000, 1000, 0)
    assert "opt/venv/lib/python3.12/site-packages/demo.py" in members
    settings = json.loads(image.configuration)["config"]
    assert (settings["User"], settings["WorkingDir"], settings["Cmd"]) == ("tfenv", "/app", ["python"])
    environment = dict(line.split("=", 1) for line in settings["Env"])
    assert environment == {
        "PATH": "/opt/venv/bin:/base/bin", "LANG": "C.UTF-8", "VIRTUAL_ENV": "/opt/venv", "TF_USE_LEGACY_KERAS": "1",
    }  # fmt: skip
    assert settings["Labels"]["of"] == "the base"
    assert settings["Labels"]["org.opencontainers.image.base.name"] == BASE
    assert len(settings["Labels"]["dev.tfenv.lock"]) == 64


def test_cuda_libraries_are_found(engine: FakeEngine, cache: Cache) -> None:
    """By the loader without `ldconfig`, by it, and by XLA, unless the base has CUDA itself."""
    image = assemble(demo_lock(cache, cuda=True), cache=cache, offline=True)
    library = "/opt/venv/lib/python3.12/site-packages/nvidia/demo/lib"
    assert text(image, "etc/ld.so.conf.d/00-tfenv.conf") == f"{library}\n"
    assert f"LD_LIBRARY_PATH={library}" in json.loads(image.configuration)["config"]["Env"]
    link = paths(image)["usr/local/cuda"].linkname
    assert link == "/opt/venv/lib/python3.12/site-packages/nvidia/nvcc"


def test_the_same_bytes_from_other_folders(engine: FakeEngine, cache: Cache, tmp_path: Path) -> None:
    """Two caches, two builds, one digest; and another one for another lock."""
    other = Cache(tmp_path / "other")
    shutil.copytree(cache.directory, other.directory)
    one = assemble(demo_lock(cache, cuda=True), cache=cache, offline=True)
    two = assemble(demo_lock(other, cuda=True), cache=other, offline=True)
    assert (one.digest, one.id) == (two.digest, two.id)
    assert assemble(demo_lock(cache, cuda=True), cache=cache, offline=True).digest == one.digest
    changed = assemble(demo_lock(cache, cuda=True, version="2"), cache=cache, offline=True)
    shared = {told.digest for told, _ in one.layers} & {told.digest for told, _ in changed.layers}
    assert changed.digest != one.digest
    # all but that of the small packages: the base's two, the environment's, CUDA's, TensorFlow's, the loader path's
    assert len(shared) == len(one.layers) - 1 == 6


def test_layout(engine: FakeEngine, cache: Cache, tmp_path: Path) -> None:
    """From the index over the manifest to the last blob, everything has the digest that is told."""
    recorder = Recorder()
    image = assemble(demo_lock(cache), cache=cache, offline=True, progress=recorder)
    image.write(tmp_path / "image", "demo:1", recorder)
    folder = tmp_path / "image"
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}

    def blob(told: dict[str, Any]) -> bytes:
        data: bytes = (folder / "blobs" / "sha256" / told["digest"].removeprefix("sha256:")).read_bytes()
        assert (f"sha256:{sha256(data)}", len(data)) == (told["digest"], told["size"])
        return data

    (listed,) = json.loads((folder / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(listed))
    configuration = json.loads(blob(manifest["config"]))
    assert listed["digest"] == image.digest
    for told, diff_id in zip(manifest["layers"], configuration["rootfs"]["diff_ids"], strict=True):
        data = blob(told)
        if told["mediaType"].endswith("gzip"):
            data = gzip.decompress(data)
        assert f"sha256:{sha256(data)}" == diff_id
    history = [each["created_by"] for each in configuration["history"]]
    assert history == ["base", "base", *(f"tfenv build: {name}" for name in ("environment", "tensorflow", "packages"))]


def test_no_room_for_an_image(engine: FakeEngine, cache: Cache, tmp_path: Path) -> None:
    """A full disk is a fault of this host that names the file."""
    image = assemble(demo_lock(cache), offline=True, cache=cache)
    with pytest.raises(HostError, match="image/oci-layout` cannot be written: File too large"), full_disk():
        image.write(tmp_path / "image", "demo:1", Recorder())
    assert not [path for path in (tmp_path / "image").rglob("*") if path.is_file()]


def test_only_what_the_engine_lacks_is_sent(engine: FakeEngine, cache: Cache) -> None:
    """It has the base, so the archive has our layers only; they come with their names all the same."""
    lock = demo_lock(cache)
    engine.answers["POST /images/load"] = (200, [{"stream": "Loaded image: demo:1"}])
    engine.answers["GET /images/demo:1/json"] = (200, {"Id": "sha256:12", "RepoTags": ["demo:1"]})
    built = build(lock, form="oci", tag="demo:1", cache=cache, offline=True)
    assert (built.fresh, built.image.id) == (True, "sha256:12")
    body = next(body for path, body in engine.requests if path == "POST /images/load")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        names = archive.getnames()
        stream = archive.extractfile("manifest.json")
        assert stream is not None
        (told,) = json.load(stream)
    assert told["RepoTags"] == ["demo:1"]
    assert len(told["Layers"]) == 5
    assert [name for name in told["Layers"] if name not in names] == told["Layers"][:2]


def test_a_name_without_a_tag_is_the_latest(engine: FakeEngine, cache: Cache) -> None:
    """Engines say so wherever a name is given; in an archive it has to be written out."""
    engine.answers["POST /images/load"] = (200, [{"stream": "Loaded image"}])
    engine.answers["GET /images/here:5000/demo/json"] = (200, {"Id": "sha256:12"})
    build(demo_lock(cache), form="oci", tag="here:5000/demo", cache=cache, offline=True)
    body = next(body for path, body in engine.requests if path == "POST /images/load")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        stream = archive.extractfile("manifest.json")
        assert stream is not None
        assert json.load(stream)[0]["RepoTags"] == ["here:5000/demo:latest"]


def test_what_must_be_built_is_refused(engine: FakeEngine, cache: Cache) -> None:
    """A source distribution runs code, which a container is for."""
    lock = demo_lock(cache)
    lock = replace(lock, packages=(*lock.packages, source(cache, "oldstyle", "1")))
    with pytest.raises(UsageError, match="oldstyle: published only as source") as caught:
        assemble(lock, cache=cache, offline=True)
    assert caught.value.hint == "use `tfenv build` without `--format oci`"


def test_a_base_without_the_python(engine: FakeEngine, cache: Cache) -> None:
    """Nothing is guessed about where a Python might be."""
    lock = demo_lock(cache)
    lock = replace(lock, target=replace(lock.target, python=Version("3.13")))
    with pytest.raises(UsageError, match=r"`base:1` has no python3\.13"):
        assemble(lock, cache=cache, offline=True)


def test_no_registry_and_no_engine(cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both are told."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    lock = replace(demo_lock(cache), base_image=BaseImage(reference="127.0.0.1:9/base:1"))
    with pytest.raises(IndexUnavailable, match=r"cannot be reached.*; and no container engine answers"):
        assemble(lock, cache=cache)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--push", "localhost/a"], "`--out` and `--push` need an image that no engine holds"),
        (["--format", "oci", "--network"], "`--format oci` runs nothing that could use a network"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is read."""
    with pytest.raises(SystemExit) as ended:
        run(["build", *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


LISTING = "import demo, sys, os, pwd; print(demo.version, sys.prefix, pwd.getpwuid(os.getuid()).pw_name)"


def on_debian(cache: Cache, reference: str) -> Lock:
    """The same on a real base."""
    lock = demo_lock(cache, version=f"1.{uuid.uuid4().int}")
    return replace(lock, target=replace(lock.target, python=Version("3.11")), base_image=BaseImage(reference=reference))


@pytest.mark.engine
def test_a_real_engine_runs_it(cache: Cache) -> None:
    """Loaded, found again, and run as the user of the image; the next one shares its layers."""
    lock = on_debian(cache, base_image())
    built = build(lock, form="oci", cache=cache, offline=True)
    try:
        again = build(lock, form="oci", cache=cache, offline=True)
        assert (built.fresh, again.fresh, again.image.id) == (True, False, built.image.id)
        version = lock.package("demo")
        assert version is not None
        with Engine.connect() as engine:
            ran = engine.run(built.tag, ["python", "-c", LISTING])
        assert (ran.exit_code, ran.stdout) == (0, f"{version.version} /opt/venv tfenv\n"), ran.stderr
        changed = build(on_debian(cache, base_image()), form="oci", tag="tfenv-test/next:1", cache=cache, offline=True)
        assert changed.image.layers[:3] == built.image.layers[:3]
        assert changed.image.layers[-1] != built.image.layers[-1]
    finally:
        for tag in (built.tag, "tfenv-test/next:1"):
            subprocess.run(["docker", "image", "rm", "--force", tag], capture_output=True, check=False)


@pytest.mark.engine
def test_from_a_registry_to_a_registry(cache: Cache, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The base is pulled without an engine, the image pushed; an engine pulls and runs it."""
    with local_registry(tmp_path) as address:
        base = f"{address}/python:3.11"
        subprocess.run(["docker", "tag", base_image(), base], check=True)
        subprocess.run(["docker", "push", "--quiet", base], check=True, capture_output=True)
        lock = on_debian(cache, base)
        reference = f"{address}/demo:1"
        pushed = publish(lock, reference=reference, cache=cache)
        assert publish(lock, folder=tmp_path / "image", reference=reference, cache=cache) == pushed
        subprocess.run(["docker", "pull", "--quiet", reference], check=True, capture_output=True)
        try:
            told = subprocess.run(
                ["docker", "run", "--rm", "--network=none", reference, "python", "-c", LISTING],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            assert told.stdout.endswith(" /opt/venv tfenv\n")
            digests = subprocess.run(
                ["docker", "image", "inspect", "--format", "{{index .RepoDigests 0}}", reference],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            assert digests.stdout.strip().endswith(pushed)
        finally:
            for tag in (reference, base):
                subprocess.run(["docker", "image", "rm", "--force", tag], capture_output=True, check=False)
