"""A lock becomes an image: wheels checked by the host, handed to the engine, nothing built twice."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.image.engine import Engine, Image
from tfenv.model.lock import Origin
from tfenv.model.progress import Progress, Silent
from tfenv.outputs import dockerfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.model.lock import Lock
    from tfenv.store.cache import Cache

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY")
"""build arguments that engines know without an `ARG` and keep out of an image's history"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What `build` leaves behind.

    Attributes:
        image: with `tag` among its tags.
        tag: its name.
        fresh: was it built now, rather than found?
    """

    image: Image
    tag: str
    fresh: bool


def default_tag(lock: Lock) -> str:
    """Such as `tfenv:2.21.0-cuda12.9-py3.13`."""
    computes = f"cuda{lock.stack.cuda or ''}" if lock.stack.origin is not Origin.NONE else "cpu"
    tag = f"{lock.tensorflow.version}-{computes}-py{lock.target.python}"
    return f"tfenv:{re.sub('[^A-Za-z0-9_.-]', '-', tag)}"


def build(
    lock: Lock,
    *,
    tag: str | None = None,
    base: str | None = None,
    network: bool = False,
    force: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    connect: Callable[[], Engine] = Engine.connect,
    progress: Progress | None = None,
) -> Built:
    """Build the image of a lock, or find it.

    Args:
        lock: for a Linux platform.
        tag: name of the image; `default_tag` if none is given.
        base: another base image than that of the lock.
        network: let the build fetch the wheels itself, with the proxies and certificate authorities of this host.
        force: build every layer anew, also if the image is there.
        offline: wheels must be in the cache, the base image in the engine.
        cache: of wheels; the usual one if none is given.
        connect: to the engine.
        progress: told of downloads and steps.

    Raises:
        UsageError: no image can be made of such a lock.
        EngineError: no engine, or it failed.
        IndexUnavailable: a wheel cannot be had.
        IntegrityError: a wheel is not what the lock says.
    """
    reporter = progress or Silent()
    tag = tag or default_tag(lock)
    reference = dockerfile.base_reference(lock, base)
    authorities = host_authorities() if network else None
    text = dockerfile.dumps(lock, wheels="index" if network else "context", base=reference, ca=authorities is not None)
    with connect() as engine:
        if not force and (known := find(engine, lock, reference, tag)) is not None:
            return Built(image=known, tag=tag, fresh=False)
        # before gigabytes are fetched for nothing
        if engine.image(reference) is None and not offline:
            engine.pull(reference, progress=reporter)
        entries: dict[str, bytes | Path] = {"Dockerfile": text.encode()}
        if authorities is not None:
            entries[dockerfile.CA_FILE] = authorities
        if not network:
            entries |= _wheels(lock, cache=cache, offline=offline, progress=reporter)
        image = engine.build(
            entries,
            tag=tag,
            target="environment",
            arguments=_proxies() if network else {},
            network=network or lock.stack.origin is Origin.SYSTEM,
            fresh=force,
            progress=reporter,
        )
    return Built(image=image, tag=tag, fresh=True)


def find(engine: Engine, lock: Lock, reference: str, tag: str) -> Image | None:
    """The image of a lock on this base, given the tag; an image made from it comes later and is not taken."""
    labels = {dockerfile.LOCK_LABEL: dockerfile.lock_digest(lock), dockerfile.BASE_LABEL: reference}
    found = engine.find(labels)
    if not found:
        return None
    for image in found:
        if tag in image.tags:
            return image
    engine.tag(found[0], tag)
    return engine.image(tag)


def _wheels(lock: Lock, *, cache: Cache | None, offline: bool, progress: Progress) -> dict[str, bytes | Path]:
    from tfenv.index.download import download
    from tfenv.store.cache import Cache

    paths = download(
        [package.file for package in lock.packages], cache=cache or Cache(), offline=offline, progress=progress
    )
    first = dockerfile.installer(lock)
    return {
        f"{dockerfile.WHEELS_FOLDER}/{layer.name}/{package.file.filename}": paths[package.file.filename]
        for layer in (*([first] if first else []), *dockerfile.layers(lock))
        for package in layer.packages
    }


def _proxies() -> dict[str, str]:
    both = (name for known in _PROXIES for name in (known, known.lower()))
    return {name: value for name in both if (value := os.environ.get(name))}


def host_authorities() -> bytes | None:
    """The certificate authorities this host trusts, as PEM; ``None`` if they cannot be listed."""
    paths = ssl.get_default_verify_paths()
    for place in (os.environ.get("SSL_CERT_FILE"), paths.cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, known)).encode() or None
