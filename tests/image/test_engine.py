"""The engine: the real one where it is there, and a stand-in for what a real one cannot be made to do."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import tarfile
import uuid
from typing import TYPE_CHECKING

import docker
import pytest

from tests.support.base_image import base_image
from tests.support.engine_api import FakeEngine
from tests.support.recorder import Recorder
from tfenv.errors import EngineError
from tfenv.image.build_log import BUILDING
from tfenv.image.engine import Engine, HeldImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY = 65534
INSPECTED = {"Id": "sha256:12", "RepoTags": ["a:1"], "RepoDigests": None, "Config": {"Labels": {"b": "2"}}, "Size": 3}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """A stand-in that DOCKER_HOST names."""
    with FakeEngine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        yield engine


@pytest.fixture
def base() -> str:
    """An image with a Python."""
    return base_image()


def test_no_engine_says_what_to_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a socket that is not there nor a port where nothing listens is a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        for host in (f"unix://{tmp_path}/none.sock", f"tcp://127.0.0.1:{taken.getsockname()[1]}"):
            monkeypatch.setenv("DOCKER_HOST", host)
            with pytest.raises(EngineError, match=f"no container engine answers at {host}") as caught:
                Engine.connect()
            assert caught.value.hint is not None
            assert "systemctl start docker" in caught.value.hint


def test_a_host_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in DOCKER_HOST is an error of the engine too."""
    monkeypatch.setenv("DOCKER_HOST", "nonsense://x")
    with pytest.raises(EngineError, match="no container engine answers at nonsense://x"):
        Engine.connect()


def test_the_docker_context_is_respected(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Docker Desktop and rootless engines are found through the context in use, when DOCKER_HOST does not say."""
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "desk"}), encoding="utf-8")
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"desk").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "desk", "Metadata": {}, "Endpoints": {"docker": {"Host": fake.host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    fake.answers["GET /info"] = (200, {"Runtimes": {"runc": {}}})
    with Engine.connect() as engine:
        assert engine.gpus() is None
    assert ("GET /info", b"") in fake.requests


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, None),
        ({"Runtimes": {"runc": {}}}, None),
        ({"Runtimes": {"runc": {}, "nvidia": {}}}, "nvidia-runtime"),
        ({"Runtimes": {"nvidia": {}}, "DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}, "cdi"),
        ({"DiscoveredDevices": [{"Source": "cdi", "ID": "example.com/x=0"}]}, None),
    ],
)
def test_knows_how_gpus_get_into_containers(fake: FakeEngine, info: object, expected: str | None) -> None:
    """Through the container device interface, the runtime of NVIDIA, or not at all."""
    fake.answers["GET /info"] = (200, info)
    with Engine.connect() as engine:
        assert engine.gpus() == expected


def test_reads_an_image(fake: FakeEngine) -> None:
    """Names, labels and size; ``None`` for one that is not there."""
    fake.answers["GET /images/a:1/json"] = (200, INSPECTED)
    fake.answers["GET /images/b:1/json"] = (404, {"message": "No such image: b:1"})
    with Engine.connect() as engine:
        assert engine.image("a:1") == HeldImage(id="sha256:12", tags=("a:1",), labels=(("b", "2"),), size=3)
        assert engine.image("b:1") is None


def test_finds_images_oldest_first(fake: FakeEngine) -> None:
    """One that was made from another comes after it; one that vanished meanwhile is left out."""
    fake.answers["GET /images/json"] = (
        200,
        [[{"Id": f"sha256:{number}", "Created": created} for number, created in ((1, 30), (2, 10), (3, 20))]],
    )
    for number in (1, 2):
        fake.answers[f"GET /images/sha256:{number}/json"] = (200, {"Id": f"sha256:{number}"})
    fake.answers["GET /images/sha256:3/json"] = (404, {"message": "No such image: 3"})
    with Engine.connect() as engine:
        assert [image.id for image in engine.find({"a": "b"})] == ["sha256:2", "sha256:1"]


def test_what_the_engine_says_is_told(fake: FakeEngine) -> None:
    """An error of the API becomes one line, without the machinery."""
    fake.answers["GET /info"] = (500, {"message": "disk on fire"})
    with Engine.connect() as engine, pytest.raises(EngineError) as caught:
        engine.gpus()
    assert caught.value.message == "asking the engine about itself: the engine reports `disk on fire`"


def test_an_engine_that_goes_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answered once, and then no more."""
    with FakeEngine() as engine_api:
        monkeypatch.setenv("DOCKER_HOST", engine_api.host)
        engine = Engine.connect()
    with engine, pytest.raises(EngineError, match="the engine does not answer"):
        engine.gpus()


def test_no_gpu_support_says_what_to_install(fake: FakeEngine) -> None:
    """The container that could not start is removed, and the hint names NVIDIA's toolkit."""
    told = 'could not select device driver "" with capabilities: [[gpu]]'
    fake.answers |= {
        "POST /containers/create": (201, {"Id": "c"}),
        "POST /containers/c/start": (500, {"message": told}),
        "DELETE /containers/c": (204, {}),
    }
    with Engine.connect() as engine, pytest.raises(EngineError, match="could not select device driver") as caught:
        engine.run("a:1", ["true"], gpus=True)
    assert caught.value.hint is not None
    assert "nvidia-container-toolkit" in caught.value.hint
    assert fake.requests[-1][0] == "DELETE /containers/c"
    asked = next(json.loads(body) for path, body in fake.requests if path == "POST /containers/create")
    assert asked["HostConfig"]["DeviceRequests"][0]["Capabilities"] == [["gpu"]]
    assert asked["HostConfig"]["NetworkMode"] == "none"


def test_sends_the_context_and_reads_the_log(fake: FakeEngine) -> None:
    """The archive arrives whole; the image that the log names is looked up."""
    fake.answers["POST /build"] = (200, [{"stream": "Step 1/1 : FROM a"}, {"aux": {"ID": "sha256:12"}}])
    fake.answers["GET /images/sha256:12/json"] = (200, INSPECTED)
    with Engine.connect() as engine:
        assert engine.build({"Dockerfile": b"FROM a"}, tag="a:1").id == "sha256:12"
    body = next(body for path, body in fake.requests if path == "POST /build")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["Dockerfile"]


def test_an_image_that_vanishes_is_told(fake: FakeEngine) -> None:
    """Someone else pruned it between two requests."""
    fake.answers["POST /build"] = (200, [{"aux": {"ID": "sha256:12"}}])
    fake.answers["GET /images/sha256:12/json"] = (404, {"message": "No such image"})
    with Engine.connect() as engine, pytest.raises(EngineError, match="disappeared right after it was built"):
        engine.build({"Dockerfile": b"FROM a"}, tag="a:1")


def test_an_image_that_cannot_be_pulled_is_told(fake: FakeEngine) -> None:
    """What the registry said stands in the error."""
    fake.answers["POST /images/create"] = (200, [{"status": "Pulling"}, {"error": "manifest unknown"}])
    fake.answers["GET /images/a:1/json"] = (404, {"message": "No such image: a:1"})
    told = Recorder()
    with Engine.connect() as engine, pytest.raises(EngineError, match="`a:1` cannot be pulled: manifest unknown"):
        engine.pull("a:1", progress=told)
    assert told.finished == ["pulling a:1"]


def test_a_pulled_image_is_known(fake: FakeEngine) -> None:
    """By the reference that was asked for."""
    fake.answers["POST /images/create"] = (200, [{"status": "Pulling"}])
    fake.answers["GET /images/a:1/json"] = (200, INSPECTED)
    with Engine.connect() as engine:
        assert engine.pull("a:1").id == "sha256:12"


@pytest.mark.engine
def test_builds_tags_finds_and_runs(base: str) -> None:
    """On a real engine: an image is built from a streamed context, found by its label, named again, and run."""
    mark = uuid.uuid4().hex
    recipe = (
        f"FROM {base} AS first\nARG WHAT\nCOPY a/b /b\nRUN echo $WHAT >/what\nLABEL mark={mark}\n"
        "FROM nothing:0 AS last\n"
    )
    told = Recorder()
    with Engine.connect() as engine:
        image = engine.build(
            {"Dockerfile": recipe.encode(), "a/b": b"content"},
            tag=f"tfenv-test/engine:{mark}",
            target="first",
            arguments={"WHAT": "said"},
            progress=told,
        )
        try:
            assert engine.find({"mark": mark}) == (image,)
            engine.tag(image, f"tfenv-test/engine:again-{mark}")
            again = engine.image(f"tfenv-test/engine:again-{mark}")
            assert again is not None
            assert again.id == image.id
            ran = engine.run(
                image.id,
                ["sh", "-c", "cat /b /what /tmp/put; echo $SAID; echo oops >&2; ls /sys/class/net; exit 3"],
                files={"/tmp/put": b"put there\n"},
                environment={"SAID": "hello"},
            )
        finally:
            for name in (f"tfenv-test/engine:{mark}", f"tfenv-test/engine:again-{mark}"):
                engine.remove(name)
        assert ran.exit_code == 3
        assert ran.stdout == "contentsaid\nput there\nhello\nlo\n"
        assert ran.stderr == "oops\n"
        assert engine.find({"mark": mark}) == ()
    assert told.totals[BUILDING] == 5


@pytest.mark.engine
def test_a_step_that_fails_is_shown(base: str) -> None:
    """The error holds the step, its output and its exit code; the steps have no network."""
    recipe = f"FROM {base}\nRUN ls /sys/class/net && echo almost && false\n"
    with Engine.connect() as engine, pytest.raises(EngineError) as caught:
        engine.build({"Dockerfile": recipe.encode()}, tag="tfenv-test/engine:never")
    assert "in step 2 of 2, `RUN ls /sys/class/net && echo almost && false`" in caught.value.message
    assert "\n  lo\n  almost\n" in caught.value.message
    assert "returned a non-zero code: 1" in caught.value.message


@pytest.mark.engine
def test_a_command_that_takes_too_long_is_stopped(base: str) -> None:
    """What it had said until then is kept, and no container is left."""
    with Engine.connect() as engine:
        ran = engine.run(base, ["sh", "-c", "echo started; sleep 60"], timeout=2)
    assert (ran.exit_code, ran.stdout) == (None, "started\n")


@pytest.mark.engine
def test_an_image_or_program_that_is_not_there_is_told(base: str) -> None:
    """The error names it."""
    with Engine.connect() as engine:
        with pytest.raises(EngineError, match="running `tfenv-test/none:0`: the engine has no such image"):
            engine.run("tfenv-test/none:0", ["true"])
        with pytest.raises(EngineError, match="no-such-program"):
            engine.run(base, ["no-such-program"])


def test_an_engine_one_may_not_use_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The socket is there, but only its owner may write to it; the hint names the group."""
    path = tmp_path / "docker.sock"
    docker.utils.kwargs_from_env()  # what is imported late must be there before the rights to read it go
    user = os.geteuid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        os.seteuid(NOBODY if user == 0 else user)
        try:
            with pytest.raises(EngineError, match="permission denied") as caught:
                Engine.connect()
        finally:
            os.seteuid(user)
    assert caught.value.hint is not None
    assert "group `docker`" in caught.value.hint
