"""Image registries, queried without an engine, above all for the current digest of a tag.

Sources: https://github.com/opencontainers/distribution-spec/blob/main/spec.md (manifests),
https://distribution.github.io/distribution/spec/auth/token/ (tokens), https://pkg.go.dev/github.com/distribution/reference
(how a name without a registry is interpreted).
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

from tfenv.errors import IndexUnavailable, IntegrityError, UsageError
from tfenv.outputs.dockerfile import is_reference
from tfenv.store import foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import httpx

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
"""media types of image manifests and indexes"""
_UNAUTHORIZED, _MISSING = 401, 404
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_HOST = "registry-1.docker.io"
_DOCKER_HUB_ACCOUNT = "https://index.docker.io/v1/"
"""key of the credentials for Docker Hub in the client's configuration file"""
_LOOPBACK = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = 10.0
_HINT = "the lock can name the base image by its tag alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The reference of an image, in its parts.

    Attributes:
        registry: registry as written, such as `docker.io` or `localhost:5000`.
        repository: repository, such as `library/python`.
        tag: tag; `latest` if the reference has none.
        digest: digest; empty if the reference has none.
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `[registry/]repository[:tag][@digest]`.

        Raises:
            UsageError: the text is not an image reference.
        """
        if not is_reference(text):
            raise UsageError(f"`{text}` is not the reference of an image", hint="for example python:3.12-slim-bookworm")
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
        """Base URL of the registry; as in Docker, only a registry on this machine is used without TLS."""
        host = _DOCKER_HUB_HOST if self.registry == _DOCKER_HUB else self.registry
        return f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}"


def digest(reference: str, *, transport: httpx.BaseTransport | None = None, configuration: Path | None = None) -> str:
    """The digest of a tag. For an image of several platforms it is the digest of the index, valid for all of them.

    Args:
        reference: image, such as `docker.io/library/python:3.13-slim-bookworm`; a digest in it is returned as it is.
        transport: replacement for the network (tests).
        configuration: configuration file of the Docker client, for credentials; by default the user's.

    Returns:
        The digest, `sha256:…`.

    Raises:
        UsageError: the reference is not valid.
        IndexUnavailable: the registry does not answer or does not have the image.
    """
    wanted = Reference.parse(reference)
    if wanted.digest:
        return wanted.digest
    with repository(wanted, transport=transport, configuration=configuration) as asked:
        path = f"manifests/{wanted.tag}"
        answer = asked.send("HEAD", path, headers={"Accept": MANIFESTS})
        if answer.is_success and foreign.is_digest(found := answer.headers.get("Docker-Content-Digest", "")):
            return str(found)
        # the header is optional, and some registries answer HEAD with an error
        return f"sha256:{hashlib.sha256(asked.manifest().content).hexdigest()}"


class Repository:
    """Requests to one repository of a registry; opened by `repository`."""

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
        """Send one request, with the login or token that the registry requires.

        Args:
            method: HTTP method.
            path: path below the repository, such as `blobs/sha256:…`, or a whole URL.
            headers: additional headers.
            content: body of the request. An iterable can be sent only once, so send a request without content first.
            stream: whether the caller reads the body of the response.
        """
        url = path if "://" in path else f"{self.reference.host}/v2/{self.reference.repository}/{path}"
        for fresh in (False, True):
            sent = {"User-Agent": "tfenv", **(headers or {})}
            # storage that a registry redirects to has its own authorization
            if self._authorization is not None and url.startswith(f"{self.reference.host}/"):
                sent["Authorization"] = self._authorization
            request = self.client.build_request(method, url, headers=sent, content=content)
            answer = self.client.send(request, stream=stream)
            if answer.status_code != _UNAUTHORIZED or fresh:
                break
            answer.close()
            login = _login(self.reference.registry, self._configuration)
            self._authorization = _authorization(self.client, answer, self.reference, login, self._scope)
        return answer

    def manifest(self, digest: str | None = None) -> httpx.Response:
        """The manifest of the reference, or another manifest of the repository by its digest.

        Raises:
            IndexUnavailable: the registry does not have it.
            IntegrityError: the manifest does not match the digest that it was asked by.
        """
        wanted = self.reference
        answer = self.send("GET", f"manifests/{digest or wanted.digest or wanted.tag}", headers={"Accept": MANIFESTS})
        if answer.status_code == _MISSING:
            raise IndexUnavailable(f"`{wanted.registry}` has no image `{wanted.repository}:{wanted.tag}`", hint=_HINT)
        answer.raise_for_status()
        pinned = digest or wanted.digest
        found = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if pinned and found != pinned:
            raise IntegrityError(
                f"{answer.url} has the digest {found}, not {foreign.shown(pinned)}",
                hint="a proxy or mirror changed the manifest, or the registry is broken",
            )
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
        reference: reference of the image.
        transport: replacement for the network (tests).
        configuration: configuration file of the Docker client, for credentials; by default the user's.
        push: whether to ask for permission to write.

    Raises:
        IndexUnavailable: the registry does not answer as specified.
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
    """The value of `Authorization` that a 401 asks for: the login itself, or a token requested with or without it."""
    challenge = answer.headers.get("WWW-Authenticate", "")
    scheme = challenge.partition(" ")[0].lower()
    if scheme == "basic" and login is not None:
        return f"Basic {login}"
    asked = dict(_CHALLENGE.findall(challenge))
    if scheme != "bearer" or "realm" not in asked:
        raise IndexUnavailable(f"`{wanted.registry}` requires a login", hint=f"docker login {wanted.registry}")
    if login is not None and not asked["realm"].startswith("https://") and not _LOOPBACK.match(wanted.registry):
        raise IndexUnavailable(
            f"`{wanted.registry}` asks to send the login to {asked['realm']} without TLS", hint=_HINT
        )
    query = {"scope": asked.get("scope") or scope, **({"service": asked["service"]} if "service" in asked else {})}
    token = client.get(
        asked["realm"], params=query, headers={"Authorization": f"Basic {login}"} if login is not None else {}
    )
    token.raise_for_status()
    answered = token.json()
    return f"Bearer {answered.get('token') or answered['access_token']}"


def _login(registry: str, configuration: Path | None) -> str | None:
    """`user:password` in base64, as `docker login` stores it; credential helpers are not used."""
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
        message = f"{error.request.url.copy_with(query=None)} answered {error.response.status_code}"
        raise IndexUnavailable(message, hint=_HINT) from error
    except httpx.HTTPError as error:
        raise IndexUnavailable(f"{url} cannot be reached: {str(error) or type(error).__name__}", hint=_HINT) from error
    except (ValueError, KeyError, AttributeError) as error:
        raise IndexUnavailable(
            f"{url}: the token service of the registry sent an invalid answer", hint=_HINT
        ) from error
