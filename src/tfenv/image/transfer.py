"""Images pulled from and pushed to a registry, blob by blob; blobs that are there already are not sent again.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md ("Pull", "Push").
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tfenv.errors import IndexUnavailable, IntegrityError
from tfenv.image.base import Base, BaseLayer
from tfenv.image.layer import Descriptor
from tfenv.image.manifest import Listed, configuration_of, images_of, layers_of
from tfenv.image.registry import Reference, repository
from tfenv.store import files, foreign
from tfenv.store.cache import CACHE_HINT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tfenv.image.oci import NewImage
    from tfenv.image.registry import Repository
    from tfenv.model.progress import Progress

PULLING, PUSHING = "base image", "push"
"""Names of the tasks reported to `Progress`; their unit is bytes."""

_PIECE = 2**20
_BYTES = {"Content-Type": "application/octet-stream"}


def pull(reference: str, platform: str, *, place: Callable[[str], Path], progress: Progress) -> Base:
    """The image of a reference, its layers in files.

    Args:
        reference: reference of the image, by tag or by digest.
        platform: platform of the image, such as `linux/amd64`.
        place: returns the path for a blob, by its SHA-256.
        progress: reports bytes.

    Raises:
        IndexUnavailable: the registry does not answer, or has no such image for the platform.
        IntegrityError: a blob does not match its digest.
    """
    with repository(Reference.parse(reference)) as source:
        url, manifest = _for(platform, source, reference)
        described, listed = layers_of(manifest, url)
        blob = _blob(source, described, place, progress)
        configuration = configuration_of(blob.read_bytes(), f"{url}: the configuration {described.digest}", listed)
        progress.start(PULLING, sum(layer.size for layer in listed))
        layers = tuple(
            BaseLayer(
                descriptor=Descriptor(
                    media_type=layer.media_type.replace(
                        "vnd.docker.image.rootfs.diff.tar.gzip", "vnd.oci.image.layer.v1.tar+gzip"
                    ),
                    digest=layer.digest,
                    size=layer.size,
                    diff_id=diff_id,
                ),
                file=_blob(source, layer, place, progress),
            )
            for layer, diff_id in zip(listed, configuration["rootfs"]["diff_ids"], strict=True)
        )
        progress.finish(PULLING)
    return Base(reference=reference, configuration=configuration, layers=layers)


def push(image: NewImage, reference: str, *, progress: Progress) -> str:
    """Push an image to a registry; returns its digest.

    Raises:
        IndexUnavailable: the registry does not answer or refuses the image.
        UsageError: the reference is not valid.
    """
    with repository(Reference.parse(reference), push=True) as target:
        blobs = {blob.digest: blob for blob in image.blobs()}
        progress.start(PUSHING, sum(blob.size for blob in blobs.values()))
        for blob in blobs.values():
            if target.send("HEAD", f"blobs/{blob.digest}").is_success:
                progress.advance(PUSHING, blob.size)
                continue
            started = target.send("POST", "blobs/uploads/", headers={"Content-Length": "0"})
            started.raise_for_status()
            where = started.request.url.join(started.headers["Location"]).copy_merge_params({"digest": blob.digest})
            headers = {**_BYTES, "Content-Length": str(blob.size)}
            sent = _counted(blob.pieces(), progress)
            target.send("PUT", str(where), headers=headers, content=sent).raise_for_status()
        progress.finish(PUSHING)
        headers = {"Content-Type": image.media_type}
        target.send(
            "PUT", f"manifests/{target.reference.tag}", headers=headers, content=image.manifest
        ).raise_for_status()
    return image.digest


def _for(platform: str, source: Repository, reference: str) -> tuple[str, bytes]:
    """URL and manifest of one platform."""
    answer = source.manifest()
    images = images_of(answer.content, str(answer.url))
    if images is None:
        return str(answer.url), answer.content
    for image_platform, digest in images:
        if image_platform == platform:
            answer = source.manifest(digest)
            return str(answer.url), answer.content
    raise IndexUnavailable(
        f"`{reference}` has no image for {platform}", hint="use another base image: `--base-image IMAGE`"
    )


def _blob(source: Repository, listed: Listed, place: Callable[[str], Path], progress: Progress) -> Path:
    """The path of a blob, which is downloaded if it is not there or not what its digest names."""
    digits = foreign.sha256(listed.digest)
    path = place(digits)
    if foreign.sha256_of(path) == digits:
        progress.advance(PULLING, listed.size)
        return path
    answer = source.send("GET", f"blobs/{listed.digest}", stream=True)
    try:
        answer.raise_for_status()
        found, left = hashlib.sha256(), listed.size
        with files.whole(path, hint=CACHE_HINT) as out:
            for piece in _counted(answer.iter_raw(_PIECE), progress, PULLING):
                found.update(piece)
                left -= len(piece)
                if left < 0:
                    break
                out.write(piece)
            if left or found.hexdigest() != digits:
                what = f"has the SHA-256 {found.hexdigest()}" if left == 0 else f"is not {listed.size} bytes long"
                raise IntegrityError(
                    f"{answer.url} {what}, unlike {listed.digest} in the manifest",
                    hint="run the command again; a proxy or mirror may change files, or the registry is broken",
                )
    finally:
        answer.close()
    return path


def _counted(pieces: Iterator[bytes], progress: Progress, task: str = PUSHING) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        progress.advance(task, len(piece))
