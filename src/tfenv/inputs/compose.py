"""A compose file, as a `Configuration`: images of its services, and whether they get a GPU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfenv.errors import UsageError
from tfenv.inputs import dockerfile
from tfenv.inputs.configuration import merge
from tfenv.model.configuration import Configuration
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.facts.images import ImageTable


def loads(
    text: str, name: str, images: ImageTable, *, read: Callable[[str], str | None] = lambda _path: None
) -> Configuration:
    """Read a compose file; of several services, the one that requests a GPU or uses a GPU image counts.

    Args:
        text: content of the file.
        name: name of the file, for error messages.
        images: known base images.
        read: gives the text of a file that a service names (a Dockerfile), or ``None``.

    Raises:
        UsageError: the text is not YAML, or not a compose file.
    """
    document = formats.yaml(text, name)
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise UsageError(f"`{name}` has no `services`")
    found = [_service(each, images, read) for each in services.values() if isinstance(each, dict)]
    found.sort(key=lambda each: (not each.accelerated, each.tf is None and not each.packages))
    return found[0] if found else Configuration()


def wants_gpu(service: dict[str, Any]) -> bool:
    """Whether a service requests GPUs. Source: Compose file format, `deploy.resources.reservations.devices`, `gpus`."""
    if service.get("gpus") or service.get("runtime") == "nvidia":
        return True
    devices = service.get("deploy") or {}
    for key in ("resources", "reservations", "devices"):
        devices = devices.get(key) or {} if isinstance(devices, dict) else {}
    return any(
        "gpu" in _list(device.get("capabilities")) or device.get("driver") == "nvidia"
        for device in (devices if isinstance(devices, list) else [])
        if isinstance(device, dict)
    )


def _service(service: dict[str, Any], images: ImageTable, read: Callable[[str], str | None]) -> Configuration:
    found = Configuration(accelerated=True) if wants_gpu(service) else Configuration()
    build = service.get("build")
    if isinstance(build, str | dict):
        context = build if isinstance(build, str) else str(build.get("context", "."))
        file = "Dockerfile" if isinstance(build, str) else str(build.get("dockerfile", "Dockerfile"))
        path = re.sub(r"^\./", "", f"{context.rstrip('/')}/{file}").removeprefix("./")
        if (text := read(path)) is not None:
            arguments, target = ({}, None) if isinstance(build, str) else (_arguments(build), build.get("target"))
            return merge(found, dockerfile.loads(text, images, read=read, arguments=arguments, target=target))
    image = service.get("image")
    return merge(found, dockerfile.of_image(str(image), images)) if image else found


def _arguments(build: dict[str, Any]) -> dict[str, str]:
    """Build arguments: a mapping, or a list of `NAME=value`."""
    given = build.get("args") or {}
    if isinstance(given, dict):
        return {str(name): str(value) for name, value in given.items() if value is not None}
    return dict(str(each).split("=", 1) for each in _list(given) if "=" in str(each))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
