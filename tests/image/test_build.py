"""`tfenv build`: from a lock and an index on this machine to an image that holds exactly the lock."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.support.base_image import base_image
from tests.support.engine_api import FakeEngine
from tests.support.index_server import FakeIndex, Published
from tests.support.local_registry import local_registry
from tests.support.locks import cpu_lock, cuda_lock, package
from tests.support.recorder import Recorder
from tfenv.cli.app import run
from tfenv.errors import EngineError, IntegrityError
from tfenv.image.build_log import BUILDING
from tfenv.image.engine import Engine
from tfenv.image.registry import digest
from tfenv.index.source import IndexSource
from tfenv.model.goal import PYPI
from tfenv.model.lock import BaseImage, Lock, LockedPackage, Origin, Stack
from tfenv.model.package import normalize
from tfenv.outputs import dockerfile, pylock
from tfenv.store.cache import Cache
from tfenv.workflow.build import build, default_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LISTING = "import importlib.metadata as m, json; print(json.dumps(sorted(d.name for d in m.distributions())))"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """An index on 127.0.0.1."""
    with FakeIndex() as running:
        yield running


def index_package(index: FakeIndex) -> Callable[[Published], LockedPackage]:
    """A function from what an index serves to how a lock holds it."""
    return lambda file: package(
        file.filename, sha256=file.sha256, url=f"http://{index.address}/files/{file.filename}", size=len(file.content)
    )


def locked(index: FakeIndex, **environment: str) -> Lock:
    """A lock of a TensorFlow that is one line long, on Debian's Python."""
    published = [
        index.add_wheel("tensorflow-cpu", "2.21.0", requires=["demo"]),
        index.add_wheel("demo", f"1.{uuid.uuid4().int}"),  # new to the engine's cache
    ]
    packages = map(index_package(index), published)
    return replace(
        cpu_lock(),
        request=replace(cpu_lock().request, indexes=(index.url,)),
        packages=tuple(sorted(packages, key=lambda each: each.name)),
        target=replace(cpu_lock().target, python=Version("3.11")),
        base_image=BaseImage(reference=base_image()),
        environment=tuple(environment.items()),
    )


@pytest.mark.parametrize(
    ("lock", "tag"),
    [
        (cpu_lock(), "tfenv:2.21.0-cpu-py3.13"),
        (cuda_lock(), "tfenv:2.21.0-cuda12.9-py3.12"),
        (replace(cuda_lock(), stack=Stack(origin=Origin.SYSTEM)), "tfenv:2.21.0-cuda-py3.12"),
    ],
)
def test_an_image_is_named_after_what_is_in_it(lock: Lock, tag: str) -> None:
    """Release, CUDA and Python, in characters that a tag may have."""
    assert default_tag(lock) == tag


def test_a_base_that_cannot_be_had_is_known_before_wheels_are_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is downloaded for a build that cannot begin."""
    with FakeEngine() as fake:
        monkeypatch.setenv("DOCKER_HOST", fake.host)
        fake.answers["GET /images/json"] = (200, [[]])
        fake.answers["POST /images/create"] = (200, [{"error": "manifest unknown"}])
        fake.answers["GET /images/none:1/json"] = (404, {"message": "No such image: none:1"})
        with pytest.raises(EngineError, match="`none:1` cannot be pulled: manifest unknown"):
            build(cpu_lock(), base="none:1", cache=Cache(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine that holds the base image, and builds whatever it is sent."""
    with FakeEngine() as running:
        monkeypatch.setenv("DOCKER_HOST", running.host)
        running.answers |= {
            "GET /images/json": (200, [[]]),
            "GET /images/base:1/json": (200, {"Id": "sha256:1"}),
            "POST /build": (200, [{"stream": "Step 1/1 : FROM a"}, {"aux": {"ID": "sha256:12"}}]),
            "GET /images/sha256:12/json": (200, {"Id": "sha256:12", "RepoTags": ["tfenv:1"], "Size": 5}),
            "POST /images/sha256:12/tag": (201, {}),
        }
        yield running


def sent(fake: FakeEngine) -> dict[str, bytes]:
    """What the engine got as build context."""
    body = next(body for path, body in fake.requests if path == "POST /build")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: content.read() for member in archive if (content := archive.extractfile(member))}


def test_wheels_go_into_the_folders_of_their_layers(fake: FakeEngine, index: FakeIndex, tmp_path: Path) -> None:
    """Each where the Dockerfile copies it from, the installer among them."""
    published = [
        index.add_wheel("pip", "25.3"),
        index.add_wheel("tensorflow-cpu", "2.21.0"),
        index.add_sdist("demo", "1"),
    ]
    lock = replace(cpu_lock(), packages=tuple(map(index_package(index), published)))
    built = build(lock, base="base:1", cache=Cache(tmp_path))
    assert (built.image.id, built.tag, built.fresh) == ("sha256:12", "tfenv:2.21.0-cpu-py3.13", True)
    context = sent(fake)
    assert context.pop("Dockerfile").decode() == dockerfile.dumps(lock, wheels="context", base="base:1")
    assert context == {
        f"wheels/{folder}/{each.filename}": each.content
        for folder, each in zip(("pip", "tensorflow", "source-distributions"), published, strict=True)
    }


def test_a_build_that_downloads_gets_no_wheels(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With `--network` the context holds the certificate authorities, and the proxies go in as arguments."""
    (bundle := tmp_path / "ca.pem").write_bytes(b"mine")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    build(cpu_lock(), base="base:1", network=True, cache=Cache(tmp_path / "cache"))
    context = sent(fake)
    assert context.pop("Dockerfile").decode() == dockerfile.dumps(cpu_lock(), base="base:1", ca=True)
    assert context == {"ca.pem": b"mine"}


def test_an_image_of_this_lock_is_named_and_not_built(fake: FakeEngine, tmp_path: Path) -> None:
    """It gets the tag if it had another one, and nothing is downloaded."""
    fake.answers["GET /images/json"] = (200, [[{"Id": "sha256:12", "Created": 1}]])
    fake.answers["GET /images/tfenv:2/json"] = (200, {"Id": "sha256:12", "RepoTags": ["tfenv:1", "tfenv:2"]})
    assert not build(cpu_lock(), base="base:1", tag="tfenv:1", cache=Cache(tmp_path)).fresh
    assert "POST /images/sha256:12/tag" not in dict(fake.requests)
    assert not build(cpu_lock(), base="base:1", tag="tfenv:2", cache=Cache(tmp_path)).fresh
    assert "POST /images/sha256:12/tag" in dict(fake.requests)
    assert "POST /build" not in dict(fake.requests)


@pytest.mark.parametrize(
    ("options", "code", "out", "err"),
    [
        ([], 0, "sha256:12\n", "built tfenv:2.21.0-cpu-py3.13 · 0.00 GB\nnext: tfenv smoke tfenv:2.21.0-cpu-py3.13\n"),
        (["-q", "-t", "mine:1"], 0, "sha256:12\n", ""),
        (
            ["--base-image", "A B"],
            2,
            "",
            "error: `A B` is not the reference of an image\nhint: for example python:3.12-slim-bookworm\n",
        ),
        (["--lock", "none.toml"], 2, "", "error: there is no lock `none.toml`\nhint: make one with `tfenv lock`\n"),
    ],
)
def test_says_what_it_made(
    fake: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    out: str,
    err: str,
) -> None:
    """The id on standard output, the talk on standard error, and the exit code of the contract."""
    monkeypatch.chdir(tmp_path)
    fake.answers["GET /images/json"] = (200, [[]])
    lock = replace(cpu_lock(), base_image=BaseImage(reference="base:1"))
    Path("pylock.toml").write_text(pylock.dumps(lock), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run(["build", "--network", *options])
    assert ended.value.code == code
    said = capsys.readouterr()
    assert said.out == out
    assert said.err == err


def test_tells_a_program_what_it_made(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` is one document; `--target` names the lock."""
    monkeypatch.chdir(tmp_path)
    lock = replace(cpu_lock(), base_image=BaseImage(reference="base:1"))
    Path("pylock.train.toml").write_text(pylock.dumps(lock), encoding="utf-8")
    with pytest.raises(SystemExit):
        run(["build", "--network", "--target", "train", "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "image": "sha256:12",
        "tag": "tfenv:2.21.0-cpu-py3.13",
        "size": 5,
        "built": True,
    }


@pytest.mark.engine
def test_builds_once_and_holds_the_lock(index: FakeIndex, tmp_path: Path) -> None:
    """The image holds the locked packages and pip, runs as a user, knows its lock; the second time it is found."""
    lock = locked(index, GREETING='he said "$HOME"')
    tag, other = (f"tfenv-test/build:{uuid.uuid4().hex}" for _ in range(2))
    told = Recorder()
    with Engine.connect() as engine:
        try:
            first = build(lock, tag=tag, cache=Cache(tmp_path), progress=told)
            again = build(lock, tag=other, cache=Cache(tmp_path / "other"))
            forced = build(lock, tag=other, cache=Cache(tmp_path), force=True, offline=True)
            listed = engine.run(tag, ["python", "-c", LISTING])
            said = engine.run(
                tag, ["sh", "-c", "echo $GREETING; id -u; pwd; touch here && ls -d /wheels /layer /ca.pem"]
            )
        finally:
            for name in (tag, other):
                engine.remove(name)
    assert (first.fresh, again.fresh, forced.fresh) == (True, False, True)
    assert again.image.id == first.image.id != forced.image.id
    assert dict(first.image.labels)["dev.tfenv.lock"] == dockerfile.lock_digest(lock)
    assert told.done[BUILDING] == (told.totals[BUILDING] or 0) - 1
    names = [each.replace("_", "-") for each in json.loads(listed.stdout)]
    assert names == ["demo", "pip", "tensorflow-cpu"]
    assert said.stdout == 'he said "$HOME"\n1000\n/app\n'
    assert said.exit_code != 0  # `ls` found none of the three


@pytest.mark.engine
def test_another_base_is_another_image(index: FakeIndex, tmp_path: Path) -> None:
    """The same lock on another base is built anew."""
    lock = locked(index)
    tag, other = (f"tfenv-test/build:{uuid.uuid4().hex}" for _ in range(2))
    with Engine.connect() as engine:
        base = engine.image(base_image())
        assert base is not None
        engine.tag(base, f"{other}-base")
        try:
            build(lock, tag=tag, cache=Cache(tmp_path))
            assert build(lock, tag=other, base=f"{other}-base", cache=Cache(tmp_path)).fresh
        finally:
            for name in (tag, other, f"{other}-base"):
                engine.remove(name)


@pytest.mark.engine
def test_a_base_by_digest_is_pulled_and_built_on(index: FakeIndex, tmp_path: Path) -> None:
    """What the registry called the tag when the lock was made is what the image starts from."""
    tag = f"tfenv-test/build:{uuid.uuid4().hex}"
    with local_registry(tmp_path) as address, Engine.connect() as engine:
        base = engine.image(base_image())
        assert base is not None
        reference = f"{address}/python:3.11"
        engine.tag(base, reference)
        subprocess.run(["docker", "push", reference], check=True, capture_output=True)
        locked_base = BaseImage(reference=reference, digest=digest(reference))
        engine.remove(reference)
        lock = replace(locked(index), base_image=locked_base)
        try:
            built = build(lock, tag=tag, cache=Cache(tmp_path / "cache"))
            pulled = engine.image(str(locked_base))
        finally:
            engine.remove(tag)
            engine.remove(str(locked_base))
    assert pulled is not None
    assert pulled.digests == (f"{address}/python@{locked_base.digest}",)
    assert dict(built.image.labels)["org.opencontainers.image.base.name"] == str(locked_base)


@pytest.mark.engine
def test_a_wheel_that_changed_is_not_built_in(index: FakeIndex, tmp_path: Path) -> None:
    """What does not have the hash of the lock does not reach the engine."""
    lock = locked(index)
    index.files[lock.packages[0].file.filename].content += b"x"
    with pytest.raises(IntegrityError):
        build(lock, tag="tfenv-test/build:never", cache=Cache(tmp_path))


@pytest.mark.engine
def test_builds_by_itself_without_tfenv(index: FakeIndex, tmp_path: Path) -> None:
    """`docker build .` needs the Dockerfile and an index; the code of the folder is in the image, and is the user's."""
    lock = locked(index)
    (tmp_path / "Dockerfile").write_text(dockerfile.dumps(lock), encoding="utf-8")
    (tmp_path / "train.py").write_text("import demo; print(demo.__version__)", encoding="utf-8")
    tag = f"tfenv-test/build:{uuid.uuid4().hex}"
    # the loopback of the host, as the index listens there only
    command = ["docker", "build", "--network", "host", "--tag", tag, str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    with Engine.connect() as engine:
        try:
            ran = engine.run(tag, ["sh", "-c", "python train.py && stat -c %U train.py"])
        finally:
            engine.remove(tag)
    assert ran.stdout == f"{lock.packages[0].version}\ntfenv\n"


@pytest.mark.engine
@pytest.mark.index
def test_fetches_inside_with_the_certificates_of_this_host(index: FakeIndex, tmp_path: Path) -> None:
    """`--network`: the wheel comes from the real index; the authorities do not stay in the image."""
    six = package(
        "six-1.17.0-py2.py3-none-any.whl", sha256="4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
    )
    lock = replace(locked(index), packages=(six,), request=cpu_lock().request)
    tag = f"tfenv-test/build:{uuid.uuid4().hex}"
    with Engine.connect() as engine:
        try:
            build(lock, tag=tag, network=True, cache=Cache(tmp_path))
            ran = engine.run(tag, ["sh", "-c", "python -c 'import six; print(six.__version__)'; ls /ca.pem; env"])
        finally:
            engine.remove(tag)
    assert ran.stdout.startswith("1.17.0\n")
    assert "PIP_" not in ran.stdout
    assert "/ca.pem" not in ran.stdout


@pytest.mark.engine
@pytest.mark.index
@pytest.mark.interpreters
def test_builds_source_distributions_on_an_old_python(tmp_path: Path) -> None:
    """Python 3.6 brings pip 18.1: a locked pip takes over, and a source distribution is built with locked tools."""
    wanted = (
        "pip-21.3.1-py3-none-any.whl",
        "setuptools-59.6.0-py3-none-any.whl",
        "termcolor-1.1.0.tar.gz",
        "wheel-0.37.1-py2.py3-none-any.whl",
    )
    with IndexSource([PYPI], cache=Cache(tmp_path)) as source:
        releases = [source.releases(normalize(each.partition("-")[0])) for each in wanted]
        files = [file for known in releases for release in known for file in release.files if file.filename in wanted]
    packages = tuple(LockedPackage(name=file.name, version=file.version, file=file) for file in files)
    lock = replace(cpu_lock(), packages=packages, target=replace(cpu_lock().target, python=Version("3.6")))
    tag = f"tfenv-test/build:{uuid.uuid4().hex}"
    with Engine.connect() as engine:
        try:
            build(lock, tag=tag, base=base_image("3.6"), cache=Cache(tmp_path))
            ran = engine.run(tag, ["python", "-m", "pip", "list", "--format", "freeze"])
        finally:
            engine.remove(tag)
    assert ran.stdout.split() == ["pip==21.3.1", "setuptools==59.6.0", "termcolor==1.1.0", "wheel==0.37.1"]
