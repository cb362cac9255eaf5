"""`tfenv build`: the image of a lock. The host checks the wheels, the engine installs them; nothing is built twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.image.assemble import assemble, load
from tfenv.image.engine import Engine, HeldImage
from tfenv.image.transfer import push
from tfenv.index.download import download
from tfenv.machine.network import authorities, proxy_variables
from tfenv.model.lock import Origin
from tfenv.model.progress import Progress, Silent
from tfenv.outputs import dockerfile
from tfenv.store.cache import Cache
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfenv.model.lock import Lock


class Form(StrEnum):
    """Way of making an image: by the engine from a Dockerfile, or by tfenv from the wheels, without a container."""

    DOCKER = "docker"
    OCI = "oci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The image of a lock in the engine.

    Attributes:
        image: id, tags and size in bytes.
        tag: name of the image.
        fresh: whether it was built now; otherwise the engine had it already.
    """

    image: HeldImage
    tag: str
    fresh: bool


def default_tag(lock: Lock) -> str:
    """The name that the image of a lock gets by default, such as `tfenv:2.21.0-cuda12.9-py3.13`."""
    computes = f"cuda{lock.stack.cuda or ''}" if lock.stack.origin is not Origin.NONE else "cpu"
    tag = f"{lock.tensorflow.version}-{computes}-py{lock.target.python}"
    return f"tfenv:{re.sub('[^A-Za-z0-9_.-]', '-', tag)}"


def build(
    lock: Lock | Path | str = "pylock.toml",
    *,
    form: Form | str = Form.DOCKER,
    tag: str | None = None,
    base: str | None = None,
    network: bool = False,
    force: bool = False,
    offline: bool = False,
    cache: Cache | None = None,
    connect: Callable[[], Engine] = Engine.connect,
    progress: Progress | None = None,
) -> Built:
    """Build the image of a lock in the container engine, or find it there.

    Example:
        >>> built = tfenv.build("pylock.toml", tag="team/training:1")
        >>> built.tag, built.fresh
        ('team/training:1', False)

    Args:
        lock: a lock for a Linux platform, or the file that holds it.
        form: how the image is made: by the engine from a Dockerfile, or here from the wheels (`oci`).
        tag: name of the image; by default `default_tag`.
        base: reference of a base image to use instead of the lock's.
        network: whether the build downloads the wheels, with the proxies and certificate authorities of this host
            (`docker` only).
        force: whether to build every layer again, even if the engine has the image.
        offline: whether to use only wheels in the cache, and a base image in the cache or the engine.
        cache: cache of wheels; by default the user's.
        connect: opens a connection to the engine.
        progress: reports downloads and steps.

    Raises:
        UsageError: no image can be made from the lock, or the options contradict each other.
        EngineError: no container engine answers, or it failed.
        IndexUnavailable: a wheel or the base image is not available.
        IntegrityError: a wheel does not have the hash that the lock names.
    """
    if form not in tuple(Form):
        raise UsageError(f"`{form}` is not a form of an image", hint=f"use {' or '.join(Form)}")
    if form == Form.OCI and network:
        raise UsageError("`--format oci` runs nothing that could use a network", hint="omit `--network`")
    lock = read_lock(lock)
    tag, reference, reporter = tag or default_tag(lock), dockerfile.base_reference(lock, base), progress or Silent()
    with connect() as engine:
        if not force and (known := find(engine, lock, reference, tag)) is not None:
            return Built(image=known, tag=tag, fresh=False)
        if form == Form.OCI:
            assembled = assemble(lock, base=base, offline=offline, cache=cache, connect=connect, progress=reporter)
            image = load(assembled, tag, engine=engine, progress=reporter)
        else:
            image = _built(
                engine, lock, tag, base, network=network, force=force, offline=offline, cache=cache, progress=reporter
            )
    return Built(image=image, tag=tag, fresh=True)


def publish(
    lock: Lock | Path | str = "pylock.toml",
    *,
    folder: Path | str | None = None,
    reference: str | None = None,
    base: str | None = None,
    offline: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> str:
    """Make the image of a lock without an engine: in a folder (an OCI image layout), in a registry, or in both.

    Args:
        lock: a lock for a Linux platform, of wheels only, or the file that holds it.
        folder: folder for the image layout.
        reference: repository and tag in a registry, such as `registry.example/team/tf:1`.
        base: reference of a base image to use instead of the lock's.
        offline: whether to use only wheels and base images in the cache.
        cache: cache of wheels; by default the user's.
        progress: reports downloads and layers.

    Returns:
        The digest of the image, `sha256:…`.

    Raises:
        UsageError: no image can be made from the lock.
        IndexUnavailable: a wheel or the base image is not available, or the registry refuses the image.
        IntegrityError: a wheel does not have the hash that the lock names.
        HostError: a file cannot be written.
    """
    lock, reporter = read_lock(lock), progress or Silent()
    image = assemble(lock, base=base, offline=offline, cache=cache, progress=reporter)
    if folder is not None:
        image.write(Path(folder), default_tag(lock), reporter)
    if reference is not None:
        push(image, reference, progress=reporter)
    return image.digest


def _built(
    engine: Engine,
    lock: Lock,
    tag: str,
    base: str | None,
    *,
    network: bool,
    force: bool,
    offline: bool,
    cache: Cache | None,
    progress: Progress,
) -> HeldImage:
    """The image, built by the engine from the Dockerfile."""
    reference = dockerfile.base_reference(lock, base)
    text = dockerfile.dumps(lock, wheels="index" if network else "context", base=reference, ca=network)
    # first, because gigabytes of wheels are useless without the base image
    if engine.image(reference) is None and not offline:
        engine.pull(reference, progress=progress)
    entries: dict[str, bytes | Path] = {"Dockerfile": text.encode()}
    if network:
        entries[dockerfile.CA_FILE] = authorities()
    else:
        entries |= _wheels(lock, cache=cache, offline=offline, progress=progress)
    return engine.build(
        entries,
        tag=tag,
        target="environment",
        arguments=proxy_variables() if network else {},
        network=network or lock.stack.origin is Origin.SYSTEM,
        fresh=force,
        progress=progress,
    )


def find(engine: Engine, lock: Lock, reference: str, tag: str) -> HeldImage | None:
    """The image of a lock on this base image, tagged; images made from it are younger and are not chosen."""
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
    paths = download(
        [package.file for package in lock.packages], cache=cache or Cache(), offline=offline, progress=progress
    )
    first = dockerfile.installer(lock)
    return {
        f"{dockerfile.WHEELS_FOLDER}/{layer.name}/{package.file.filename}": paths[package.file.filename]
        for layer in (*([first] if first else []), *dockerfile.layers(lock))
        for package in layer.packages
    }
