"""A container engine, through its Docker API (Docker itself, or Podman's service behind `DOCKER_HOST`)."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from tfenv.errors import EngineError
from tfenv.image.build_log import follow
from tfenv.image.context import stream
from tfenv.model.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from docker import APIClient

_START = (
    "start one: `sudo systemctl start docker`, Docker Desktop, or `podman system service --time 0 &` with DOCKER_HOST "
    "set to its socket"
)
_SOCKET = "unix:///var/run/docker.sock"
_ANSWER_WITHIN = 60
_QUIET_STEP = 3600
"""seconds that one step of a build may be silent: unpacking CUDA takes minutes on a slow disk"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldImage:
    """An image that the engine holds.

    Attributes:
        id: digest of the configuration, `sha256:…`.
        tags: references by tag.
        digests: references by digest in a registry; empty if the image was never pulled or pushed.
        labels: labels as sorted pairs.
        layers: digest of each layer's tar file (`sha256:…`), lowest first.
        size: size of all layers in bytes, unpacked.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Result of a container; `exit_code` is ``None`` if the container was stopped at its time limit."""

    exit_code: int | None
    stdout: str
    stderr: str


class Engine:
    """A connection to a container engine, opened by `connect`; a context manager."""

    def __init__(self, client: APIClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> Self:
        """Connect to the engine named by `DOCKER_HOST`, by the current Docker context, or else at the default socket.

        Raises:
            EngineError: no engine answers; the hint names what to start.
        """
        import docker
        from docker.errors import DockerException

        where = os.environ.get("DOCKER_HOST") or _context_host() or ("" if os.name == "nt" else _SOCKET)
        arguments: dict[str, Any] = {**docker.utils.kwargs_from_env()}
        if where:
            arguments["base_url"] = where
        try:
            _knock(where)
            return cls(docker.APIClient(version="auto", timeout=_ANSWER_WITHIN, **arguments))
        except PermissionError as error:
            raise EngineError(
                f"permission denied for the container engine at {where}",
                hint="add your user to the group `docker`, or use a rootless engine",
            ) from error
        except (DockerException, OSError) as error:
            raise EngineError(f"no container engine answers at {where or 'the default socket'}", hint=_START) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def image(self, reference: str) -> HeldImage | None:
        """The image with a reference or id; ``None`` if the engine does not have it."""
        from docker.errors import ImageNotFound

        with _translated(f"asking for the image `{reference}`"):
            try:
                found: dict[str, Any] = self._client.inspect_image(reference)  # type: ignore[no-untyped-call]
            except ImageNotFound:
                return None
        return HeldImage(
            id=found["Id"],
            tags=tuple(found.get("RepoTags") or ()),
            digests=tuple(found.get("RepoDigests") or ()),
            labels=tuple(sorted(((found.get("Config") or {}).get("Labels") or {}).items())),
            layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
            size=found.get("Size") or 0,
        )

    def find(self, labels: Mapping[str, str]) -> tuple[HeldImage, ...]:
        """The images that have all these labels, oldest first, so that an image comes before those made from it."""
        with _translated("listing images"):
            found = self._client.images(filters={"label": [f"{name}={value}" for name, value in labels.items()]})
        images = (self.image(each["Id"]) for each in sorted(found, key=lambda each: each["Created"]))
        return tuple(image for image in images if image is not None)

    def tag(self, image: HeldImage, reference: str) -> None:
        """Add a name to an image.

        Raises:
            EngineError: the name is not valid.
        """
        from docker.utils import parse_repository_tag

        repository, tag = parse_repository_tag(reference)
        with _translated(f"tagging an image as `{reference}`"):
            self._client.tag(image.id, repository, tag)

    def remove(self, reference: str) -> None:
        """Remove a name of an image, and the image itself with its last name."""
        with _translated(f"removing `{reference}`"):
            self._client.remove_image(reference)

    def pull(self, reference: str, *, progress: Progress | None = None) -> HeldImage:
        """Pull an image from its registry.

        Raises:
            EngineError: the image is not available.
        """
        from docker.utils import parse_repository_tag

        reporter = progress or Silent()
        task = f"pulling {reference}"
        repository, tag = parse_repository_tag(reference)
        error = ""
        with _translated(f"pulling `{reference}`"):
            reporter.start(task)
            for message in self._client.pull(repository, tag or "latest", stream=True, decode=True):
                error = str(message.get("error") or error)
            reporter.finish(task)
        image = self.image(reference)
        if image is None:
            raise EngineError(
                f"the image `{reference}` cannot be pulled: {error or 'the registry returned no image'}",
                hint="use an image that the engine has: `--base-image IMAGE`",
            )
        return image

    def load(self, archive: Iterator[bytes]) -> None:
        """Load the images of an archive as written by `docker save`.

        Raises:
            EngineError: the archive is not valid, or the disk is full.
        """
        with _translated("loading an image"):
            for message in self._client.load_image(archive):  # type: ignore[no-untyped-call]  # requests sends any iterator
                if "error" in message:
                    raise EngineError(f"loading an image: the engine reports `{message['error']}`")

    def save(self, reference: str) -> Iterator[bytes]:
        """An image as an archive, in pieces.

        Raises:
            EngineError: the engine does not have the image.
        """
        with _translated(f"saving `{reference}`"):
            yield from self._client.get_image(reference)

    def build(
        self,
        entries: Mapping[str, bytes | Path],
        *,
        tag: str,
        target: str = "",
        arguments: Mapping[str, str] | None = None,
        network: bool = False,
        fresh: bool = False,
        progress: Progress | None = None,
    ) -> HeldImage:
        """Build an image.

        Args:
            entries: files of the build context, including `Dockerfile`.
            tag: name of the new image.
            target: last stage to build; empty builds all stages.
            arguments: build arguments (`ARG`).
            network: whether the steps may use the network.
            fresh: whether to build every layer again.
            progress: reports bytes sent and steps done.

        Raises:
            EngineError: a step failed (with its last lines), or the connection broke.
        """
        reporter = progress or Silent()
        with _translated(f"building `{tag}`"):
            messages = self._client.build(
                fileobj=cast("IO[bytes]", stream(entries, reporter)),  # requests sends any iterator
                custom_context=True,
                decode=True,
                rm=True,
                forcerm=True,
                tag=tag,
                target=target or None,
                buildargs=dict(arguments or {}),
                network_mode=None if network else "none",
                nocache=fresh,
                timeout=_QUIET_STEP,
            )
            try:
                built = follow(messages, reporter)
            finally:
                messages.close()
        image = self.image(built)
        if image is None:
            raise EngineError(f"the image {built} disappeared right after it was built", hint="build it again")
        return image

    def gpus(self) -> str | None:
        """How containers access NVIDIA GPUs: `cdi`, `nvidia-runtime`, or ``None`` if the engine reports neither."""
        with _translated("asking the engine about itself"):
            info = self._client.info()
        devices = [str(device.get("ID", "")) for device in info.get("DiscoveredDevices") or ()]
        if any(device.startswith("nvidia.com/gpu") for device in devices):
            return "cdi"
        return "nvidia-runtime" if "nvidia" in (info.get("Runtimes") or {}) else None

    def run(
        self,
        image: str,
        command: Sequence[str],
        *,
        files: Mapping[str, bytes] | None = None,
        environment: Mapping[str, str] | None = None,
        gpus: bool = False,
        network: bool = False,
        timeout: int | None = None,
    ) -> Run:
        """Run a command in a new container, and remove the container.

        Args:
            image: reference or id of the image.
            command: command that replaces the image's own.
            files: files to create before the start: absolute path to content, readable by everyone.
            environment: variables in addition to the image's own.
            gpus: whether the container gets all GPUs.
            network: whether the container has a network besides its own loopback.
            timeout: seconds after which the container is killed; ``None`` for no limit.

        Raises:
            EngineError: the container could not be started (no such image or program, no GPU support in the engine).
        """
        from docker.types import DeviceRequest

        with _translated(f"running `{image}`"):
            host = self._client.create_host_config(
                network_mode="bridge" if network else "none",
                device_requests=[DeviceRequest(count=-1, capabilities=[["gpu"]])] if gpus else None,
            )
            container = self._client.create_container(
                image, list(command), environment=dict(environment or {}), host_config=host, entrypoint=[]
            )["Id"]
            try:
                if files:
                    self._client.put_archive(container, "/", _archive(files))
                self._client.start(container)
                exit_code = self._wait(container, timeout)
                out, err = (
                    self._client.logs(container, stdout=is_out, stderr=not is_out).decode(errors="replace")
                    for is_out in (True, False)
                )
            finally:
                self._client.remove_container(container, force=True, v=True)
        return Run(exit_code=exit_code, stdout=out, stderr=err)

    def _wait(self, container: str, timeout: int | None) -> int | None:
        import requests

        try:
            # a request's timeout of zero is none at all
            return int(self._client.wait(container, timeout=timeout)["StatusCode"])
        except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError):
            if timeout is None:
                raise
            self._client.kill(container)
            self._client.wait(container)
            return None


def _archive(files: Mapping[str, bytes]) -> bytes:
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name.lstrip("/"))
                member.size, member.mode = len(content), 0o644
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def _context_host() -> str | None:
    """Address of the Docker context in use (`docker context use`), which Docker Desktop and rootless engines set."""
    from docker.context import ContextAPI

    try:
        context = ContextAPI.get_current_context()
    except Exception:  # noqa: BLE001 - the configuration file of the client is broken: the default socket remains
        return None
    host = getattr(context, "Host", None)
    return str(host) if host and getattr(context, "Name", "default") != "default" else None


def _knock(where: str) -> None:
    """Fail with the reason if nothing listens at a Unix socket; the SDK reports less and leaves its own socket open."""
    scheme, _, path = where.partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_ANSWER_WITHIN)
            caller.connect(path)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Errors of the SDK and of its connection as `EngineError`."""
    import requests
    from docker.errors import APIError, DockerException, ImageNotFound

    try:
        yield
    except ImageNotFound as error:
        raise EngineError(f"{doing}: the engine has no such image", hint="run `tfenv build`") from error
    except APIError as error:
        message = error.explanation or str(error)
        hint = (
            "configure the engine with nvidia-container-toolkit"
            if "could not select device driver" in message or "nvidia" in message.lower()
            else None
        )
        raise EngineError(f"{doing}: the engine reports `{message}`", hint=hint) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise EngineError(f"{doing}: the engine does not answer ({error})", hint=_START) from error
