"""Registries of images, asked without an engine; above all, what a registry calls an image right now: its digest.

Sources: https://github.com/opencontainers/distribution-spec/blob/main/spec.md (manifests),
https://distribution.github.io/distribution/spec/auth/token/ (tokens), https://pkg.go.dev/github.com/distribution/reference
(how a name without a registry is read).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, UsageError
from tfenv.outputs.dockerfile import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import httpx

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
"""media types of what a registry may call an image"""
_UNAUTHORIZED, _MISSING = 401, 404
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_HOST = "registry-1.docker.io"
_DOCKER_HUB_ACCOUNT = "https://index.docker.io/v1/"
"""key of the credentials for Docker Hub in the client's configuration file"""
_LOOPBACK = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = 10.0
_HINT = "the lock can name the base image by its tag alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where an image is to be asked for.

    Attributes:
        registry: as written, such as `docker.io` or `localhost:5000`.
        repository: such as `library/python`.
        tag: `latest` if none is written.
        digest: empty if none is written.
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `[registry/]repository[:tag][@digest]`.

        Raises:
            UsageError: it is no reference.
        """
        if not is_reference(text):
            raise UsageError(f"`{text}` is not the reference of an image", hint="such as python:3.12-slim-bookworm")
        name, _, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        if slash and (first == "localhost" or any(sign in first for sign in ".:")):
            registry, path = first, rest
        else:
            registry, path = _DOCKER_HUB, name if slash else f"library/{name}"
        repository, _, tag = path.partition(":")
        return cls(registry=registry, repository=repository, tag=tag or "latest", digest=digest)

    @property
    def host(self) -> str:
        """Base URL of the registry; only a registry on this machine is asked without TLS, as Docker does it."""
        host = _DOCKER_HUB_HOST if self.registry == _DOCKER_HUB else self.registry
        return f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}"


def digest(reference: str, *, transport: httpx.BaseTransport | None = None, configuration: Path | None = None) -> str:
    """The digest of a tag: that of the index for an image of several platforms, so it serves all of them.

    Args:
        reference: such as `docker.io/library/python:3.13-slim-bookworm`; one with a digest is not asked for.
        transport: another way to answer requests (tests).
        configuration: of the Docker client, for credentials; the usual one if none is given.

    Returns:
        `sha256:…`

    Raises:
        UsageError: it is no reference.
        IndexUnavailable: the registry does not answer, or knows no such image.
    """
    wanted = Reference.parse(reference)
    if wanted.digest:
        return wanted.digest
    with repository(wanted, transport=transport, configuration=configuration) as asked:
        path = f"manifests/{wanted.tag}"
        answer = asked.send("HEAD", path, headers={"Accept": MANIFESTS})
        if answer.is_success and _DIGEST.fullmatch(found := answer.headers.get("Docker-Content-Digest", "")):
            return str(found)
        # the header is optional, and some registries answer HEAD with an error
        return f"sha256:{hashlib.sha256(asked.manifest().content).hexdigest()}"


class Repository:
    """Requests to one repository of a registry; made by `repository`."""

    def __init__(self, reference: Reference, client: httpx.Client, configuration: Path | None, scope: str) -> None:
        self.reference = reference
        self.client = client
        self._configuration = configuration
        self._scope = scope
        self._authorization: str | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        stream: bool = False,
    ) -> httpx.Response:
        """One request, with the login or token that the registry asks for.

        Args:
            method: of HTTP.
            path: below the repository, such as `blobs/sha256:…`; or a whole URL.
            headers: beside our own.
            content: of the request; an iterable is sent once only, so a request without content goes before it.
            stream: leave the body of the answer to be read.
        """
        url = path if "://" in path else f"{self.reference.host}/v2/{self.reference.repository}/{path}"
        for fresh in (False, True):
            told = {"User-Agent": "tfenv", **(headers or {})}
            # storage that a registry redirects to, or has uploads sent to, has its own ways
            if self._authorization is not None and url.startswith(f"{self.reference.host}/"):
                told["Authorization"] = self._authorization
            request = self.client.build_request(method, url, headers=told, content=content)
            answer = self.client.send(request, stream=stream)
            if answer.status_code != _UNAUTHORIZED or fresh:
                break
            answer.close()
            login = _login(self.reference.registry, self._configuration)
            self._authorization = _authorization(self.client, answer, self.reference, login, self._scope)
        return answer

    def manifest(self, digest: str | None = None) -> httpx.Response:
        """That of the reference, or another of the repository.

        Raises:
            IndexUnavailable: there is none.
        """
        wanted = self.reference
        answer = self.send("GET", f"manifests/{digest or wanted.digest or wanted.tag}", headers={"Accept": MANIFESTS})
        if answer.status_code == _MISSING:
            raise IndexUnavailable(f"`{wanted.registry}` has no image `{wanted.repository}:{wanted.tag}`", hint=_HINT)
        answer.raise_for_status()
        return answer


@contextmanager
def repository(
    reference: Reference,
    *,
    transport: httpx.BaseTransport | None = None,
    configuration: Path | None = None,
    push: bool = False,
) -> Iterator[Repository]:
    """A connection to the repository of an image.

    Args:
        reference: of the image.
        transport: another way to answer requests (tests).
        configuration: of the Docker client, for credentials; the usual one if none is given.
        push: will something be written there?

    Raises:
        IndexUnavailable: the registry does not answer as it should.
    """
    from tfenv.index.http import httpx
    from tfenv.index.transport import Blocking

    scope = f"repository:{reference.repository}:pull" + (",push" if push else "")
    with (
        _translated(f"{reference.host}/v2/{reference.repository}"),
        httpx.Client(
            transport=transport or Blocking(), trust_env=False, timeout=_TIMEOUT, follow_redirects=True
        ) as client,
    ):
        yield Repository(reference, client, configuration, scope)


def _authorization(
    client: httpx.Client, answer: httpx.Response, wanted: Reference, login: str | None, scope: str
) -> str:
    """What the challenge of a 401 asks for: the login itself, or a token bought with it (or with nothing)."""
    challenge = answer.headers.get("WWW-Authenticate", "")
    scheme = challenge.partition(" ")[0].lower()
    if scheme == "basic" and login is not None:
        return f"Basic {login}"
    asked = dict(_CHALLENGE.findall(challenge))
    if scheme != "bearer" or "realm" not in asked:
        raise IndexUnavailable(f"`{wanted.registry}` wants a login", hint=f"`docker login {wanted.registry}`")
    if login is not None and not asked["realm"].startswith("https://") and not _LOOPBACK.match(wanted.registry):
        raise IndexUnavailable(f"`{wanted.registry}` wants the login sent to {asked['realm']}, without TLS", hint=_HINT)
    query = {"scope": asked.get("scope") or scope, **({"service": asked["service"]} if "service" in asked else {})}
    token = client.get(
        asked["realm"], params=query, headers={"Authorization": f"Basic {login}"} if login is not None else {}
    )
    token.raise_for_status()
    told = token.json()
    return f"Bearer {told.get('token') or told['access_token']}"


def _login(registry: str, configuration: Path | None) -> str | None:
    """`user:password` in base64, as `docker login` keeps it; logins in a credential helper stay there."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        known = json.loads((configuration or folder / "config.json").read_text(encoding="utf-8"))["auths"]
        key = _DOCKER_HUB_ACCOUNT if registry == _DOCKER_HUB else registry
        entry = known.get(key) or known.get(f"https://{key}") or {}
        login = entry.get("auth") or base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    return str(login)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    from tfenv.index.http import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        told = f"{error.request.url.copy_with(query=None)} answered {error.response.status_code}"
        raise IndexUnavailable(told, hint=_HINT) from error
    except httpx.HTTPError as error:
        raise IndexUnavailable(f"{url} cannot be reached: {str(error) or type(error).__name__}", hint=_HINT) from error
    except (ValueError, KeyError, AttributeError) as error:
        raise IndexUnavailable(f"{url}: the registry's token service answered nonsense", hint=_HINT) from error
