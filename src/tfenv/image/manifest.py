"""Manifests and configurations of images that a registry sends, checked before anything of them is used.

Source: https://github.com/opencontainers/image-spec (manifest.md, image-index.md, config.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from tfenv.errors import IndexUnavailable
from tfenv.store import foreign

_HINT = "use another base image: `--base-image IMAGE`"
_LARGEST = 2**40
"""bytes of a blob"""
_MOST = 1000
"""layers of an image, or images of an index"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A blob that a manifest names.

    Attributes:
        media_type: media type of the blob; empty if not specified.
        digest: digest of the blob, `sha256:` and 64 hexadecimal digits.
        size: size of the blob in bytes.
    """

    media_type: str
    digest: str
    size: int


def images_of(content: bytes, url: str) -> tuple[tuple[str, str], ...] | None:
    """The images of an index: platform (`linux/amd64`; empty if not specified) and digest; ``None`` if it is no index.

    Args:
        content: manifest as the registry sent it.
        url: URL of the manifest, for messages.

    Raises:
        IndexUnavailable: it is not a manifest.
    """
    document = _object(_parsed(content, url), url, "it")
    if "manifests" not in document:
        return None
    images = []
    for index, entry in enumerate(_list(document["manifests"], url, "`manifests`")):
        where = f"`manifests[{index}]`"
        table = _object(entry, url, where)
        platform = _object(table.get("platform", {}), url, f"{where}.platform")
        system, architecture = platform.get("os", ""), platform.get("architecture", "")
        images.append((f"{system}/{architecture}" if system else "", _digest(table, url, where)))
    return tuple(images)


def layers_of(content: bytes, url: str) -> tuple[Listed, tuple[Listed, ...]]:
    """The configuration and the layers, lowest first, that a manifest names. Arguments and errors as in `images_of`."""
    document = _object(_parsed(content, url), url, "it")
    if "config" not in document or "layers" not in document:
        _refuse(url, "`config` or `layers` is missing")
    layers = [
        _listed(entry, url, f"`layers[{index}]`")
        for index, entry in enumerate(_list(document["layers"], url, "`layers`"))
    ]
    return _listed(document["config"], url, "`config`"), tuple(layers)


def configuration_of(content: bytes, name: str, layers: tuple[Listed, ...]) -> dict[str, Any]:
    """The configuration of an image with these layers.

    Args:
        content: configuration as the registry sent it.
        name: name of the configuration, for messages.
        layers: layers of the image.

    Raises:
        IndexUnavailable: it is not a configuration, or is that of other layers.
    """
    document = _object(_parsed(content, name), name, "it")
    root = _object(document.get("rootfs"), name, "`rootfs`")
    diff_ids = _list(root.get("diff_ids"), name, "`rootfs.diff_ids`")
    for index, diff_id in enumerate(diff_ids):
        if not foreign.is_digest(diff_id):
            _refuse(name, f"`rootfs.diff_ids[{index}]` is `{foreign.shown(diff_id)}`, which is not a digest")
    if len(diff_ids) != len(layers):
        _refuse(name, f"it has {len(diff_ids)} layers, the manifest has {len(layers)}")
    table = _object(document.get("config") or {}, name, "`config`")
    if not all(isinstance(value, str) for value in _list(table.get("Env") or [], name, "`config.Env`")):
        _refuse(name, "`config.Env` is not a list of strings")
    _object(table.get("Labels") or {}, name, "`config.Labels`")
    _list(document.get("history") or [], name, "`history`")
    return document


def _listed(entry: object, url: str, where: str) -> Listed:
    table = _object(entry, url, where)
    size, media_type = table.get("size"), table.get("mediaType", "")
    if type(size) is not int or not 0 <= size <= _LARGEST:
        _refuse(url, f"{where}.size is `{foreign.shown(size)}`, which is not a number of bytes")
    if not isinstance(media_type, str):
        _refuse(url, f"{where}.mediaType is not a string")
    return Listed(media_type=media_type, digest=_digest(table, url, where), size=size)


def _digest(table: dict[str, Any], url: str, where: str) -> str:
    found = table.get("digest")
    if not foreign.is_digest(found):
        _refuse(url, f"{where}.digest is `{foreign.shown(found)}`, not `sha256:` and 64 lower-case hexadecimal digits")
    return str(found)


def _parsed(content: bytes, url: str) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        _refuse(url, f"it is not JSON: {str(error)[:100]}")


def _object(value: object, url: str, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(url, f"{where} is not a JSON object")
    return value


def _list(value: object, url: str, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST:
        _refuse(url, f"{where} is not a list of at most {_MOST} entries")
    return value


def _refuse(url: str, why: str) -> NoReturn:
    raise IndexUnavailable(f"{url} is not the manifest or configuration of an image: {why}", hint=_HINT)
