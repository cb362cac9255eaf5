"""Digests from registries: names, tokens, logins, and a real registry on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.local_registry import local_registry
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.image.registry import Reference, digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INDEX = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
DIGEST = f"sha256:{hashlib.sha256(INDEX).hexdigest()}"


def answers(handler: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    """A registry made of one function."""
    return httpx.MockTransport(handler)


@pytest.mark.parametrize(
    ("text", "url", "repository", "tag"),
    [
        ("python", "https://registry-1.docker.io", "library/python", "latest"),
        ("python:3.13-slim", "https://registry-1.docker.io", "library/python", "3.13-slim"),
        ("nvidia/cuda:12.9", "https://registry-1.docker.io", "nvidia/cuda", "12.9"),
        ("docker.io/library/python:3", "https://registry-1.docker.io", "library/python", "3"),
        ("ghcr.io/a/b/c:1", "https://ghcr.io", "a/b/c", "1"),
        ("registry.example:5000/a", "https://registry.example:5000", "a", "latest"),
        ("localhost:5000/a:1", "http://localhost:5000", "a", "1"),
        ("localhost/a", "http://localhost", "a", "latest"),
        ("127.0.0.1:5000/a:1", "http://127.0.0.1:5000", "a", "1"),
    ],
)
def test_names_are_read_as_docker_reads_them(text: str, url: str, repository: str, tag: str) -> None:
    """Docker Hub is meant where no registry is named; only this machine is asked without TLS."""
    found = Reference.parse(text)
    assert (found.host, found.repository, found.tag) == (url, repository, tag)


@pytest.mark.parametrize("text", ["", "A", "a b", "a:b:c", "a@sha256:12", "a:\n", "ghcr.io/"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """The error shows the text."""
    with pytest.raises(UsageError, match="is not the reference"):
        digest(text)


def test_a_digest_is_its_own_answer() -> None:
    """Nothing is asked for what is known."""
    assert digest(f"python:3@{DIGEST}", transport=answers(lambda _: pytest.fail("asked"))) == DIGEST


def test_asks_for_the_index_of_all_platforms() -> None:
    """HEAD is enough, and the index is preferred to the manifest of one platform."""

    def registry(request: httpx.Request) -> httpx.Response:
        assert request.method == "HEAD"
        assert request.url == "https://registry.example/v2/a/b/manifests/1"
        assert request.headers["Accept"].startswith("application/vnd.oci.image.index.v1+json, ")
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    assert digest("registry.example/a/b:1", transport=answers(registry)) == DIGEST


@pytest.mark.parametrize("status", [200, 404, 405])
def test_hashes_the_manifest_itself_if_need_be(status: int) -> None:
    """A registry may leave the header out, or answer HEAD with an error."""

    def registry(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.method == "HEAD" else httpx.Response(200, content=INDEX)

    assert digest("registry.example/a", transport=answers(registry)) == DIGEST


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_buys_an_anonymous_token(key: str, tmp_path: Path) -> None:
    """Docker Hub wants a token even for public images; the challenge says where it is to be had."""
    challenge = 'Bearer realm="https://auth.example/token",service="registry",scope="repository:library/python:pull"'

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            assert dict(request.url.params) == {"service": "registry", "scope": "repository:library/python:pull"}
            assert "Authorization" not in request.headers
            return httpx.Response(200, json={key: "t"})
        if request.headers.get("Authorization") != "Bearer t":
            return httpx.Response(401, headers={"WWW-Authenticate": challenge})
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    assert digest("python:3", transport=answers(registry), configuration=tmp_path / "none") == DIGEST


@pytest.mark.parametrize(
    ("reference", "auths"),
    [
        ("registry.example/a", {"registry.example": {"auth": base64.b64encode(b"u:p").decode()}}),
        ("registry.example/a", {"https://registry.example": {"auth": base64.b64encode(b"u:p").decode()}}),
        ("registry.example/a", {"registry.example": {"username": "u", "password": "p"}}),
        ("a/b", {"https://index.docker.io/v1/": {"auth": base64.b64encode(b"u:p").decode()}}),
    ],
)
@pytest.mark.parametrize("scheme", ["Basic realm=x", 'Bearer realm="https://auth.example/token"'])
def test_shows_the_login_of_docker(reference: str, auths: object, scheme: str, tmp_path: Path) -> None:
    """What `docker login` wrote is shown to its registry, or to the token service that it names."""
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")
    basic = f"Basic {base64.b64encode(b'u:p').decode()}"

    def registry(request: httpx.Request) -> httpx.Response:
        said = request.headers.get("Authorization")
        if request.url.host == "auth.example":
            assert said == basic
            return httpx.Response(200, json={"token": "t"})
        if said != (basic if scheme.startswith("Basic") else "Bearer t"):
            return httpx.Response(401, headers={"WWW-Authenticate": scheme})
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    assert digest(reference, transport=answers(registry), configuration=tmp_path / "config.json") == DIGEST


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"auths": {"registry.example": {}}}', '{"auths": []}'])
def test_without_a_login_says_that_one_is_wanted(content: str, tmp_path: Path) -> None:
    """A configuration file that holds nothing useful is as good as none."""
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    registry = answers(lambda _: httpx.Response(401, headers={"WWW-Authenticate": "Basic realm=x"}))
    with pytest.raises(IndexUnavailable, match="requires a login") as caught:
        digest("registry.example/a", transport=registry, configuration=tmp_path / "config.json")
    assert caught.value.hint == "docker login registry.example"


def test_a_login_is_not_sent_in_clear(tmp_path: Path) -> None:
    """A registry that names a token service without TLS gets no password for it."""
    auths = {"registry.example": {"username": "u", "password": "p"}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")

    def registry(request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer realm="http://auth.example/token"'})

    with pytest.raises(IndexUnavailable, match="without TLS"):
        digest("registry.example/a", transport=answers(registry), configuration=tmp_path / "config.json")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(404), "`registry.example` has no image `a:1`"),
        (httpx.Response(500), r"https://registry.example/v2/a/manifests/1 answered 500"),
        (httpx.Response(401, headers={"WWW-Authenticate": 'Bearer realm="https://t.example/"'}), "answered 401"),
    ],
)
def test_no_answer_is_told(response: httpx.Response, message: str, tmp_path: Path) -> None:
    """Which registry, and what it said."""
    with pytest.raises(IndexUnavailable, match=message):
        digest("registry.example/a:1", transport=answers(lambda _: response), configuration=tmp_path / "none")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}"])
def test_a_token_service_that_talks_nonsense_is_told(body: bytes, tmp_path: Path) -> None:
    """It is an error of the registry, not a traceback."""

    def registry(request: httpx.Request) -> httpx.Response:
        if request.url.host == "t.example":
            return httpx.Response(200, content=body)
        return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer realm="https://t.example/"'})

    with pytest.raises(IndexUnavailable, match="invalid answer"):
        digest("registry.example/a:1", transport=answers(registry), configuration=tmp_path / "none")


def test_nobody_there_is_told() -> None:
    """A port where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(IndexUnavailable, match="cannot be reached"):
            digest(f"127.0.0.1:{taken.getsockname()[1]}/a:1")


def test_a_real_registry_answers(tmp_path: Path) -> None:
    """What was put under a tag is found by it, and nothing under another."""
    with local_registry(tmp_path) as address:
        put = httpx.put(
            f"http://{address}/v2/a/b/manifests/1",
            content=INDEX,
            headers={"Content-Type": "application/vnd.oci.image.index.v1+json"},
        )
        assert put.status_code == 201
        assert digest(f"{address}/a/b:1") == put.headers["Docker-Content-Digest"] == DIGEST
        with pytest.raises(IndexUnavailable, match="has no image `a/b:2`"):
            digest(f"{address}/a/b:2")
