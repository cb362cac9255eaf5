"""An image as specified by the OCI: layers, configuration and manifest, as a folder or as an archive to load.

Source: https://github.com/opencontainers/image-spec (manifest.md, config.md, image-layout.md).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from tfenv.errors import HostError, IntegrityError
from tfenv.image.layer import EPOCH
from tfenv.store import files, foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tfenv.image.layer import Descriptor
    from tfenv.model.progress import Progress

WRITING, LOADING = "image", "loading into the engine"
"""Names of the tasks reported to `Progress`; their unit is bytes."""

_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_TAG = "org.opencontainers.image.ref.name"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


class Content(Protocol):
    """Bytes that come piece by piece."""

    def pieces(self) -> Iterator[bytes]:
        """From the first to the last."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with a digest.

    Attributes:
        digest: digest of the bytes, `sha256:…`.
        size: number of bytes.
        content: source of the bytes.
    """

    digest: str
    size: int
    content: Content

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the blob, hashed while they pass.

        Raises:
            IntegrityError: they are not what the digest names.
        """
        found, size = hashlib.sha256(), 0
        for piece in self.content.pieces():
            found.update(piece)
            size += len(piece)
            yield piece
        if f"sha256:{found.hexdigest()}" != self.digest or size != self.size:
            raise IntegrityError(
                f"a part of the image has the SHA-256 {found.hexdigest()}, not {self.digest}",
                hint="a file of the cache changed meanwhile: run the command again, which checks it",
            )


@dataclass(frozen=True)
class NewImage:
    """An image that is assembled here and not yet in an engine or registry.

    Attributes:
        base: configuration of the base image.
        layers: all layers, those of the base image included, lowest first: entry in the manifest, and bytes.
        comments: comments on the layers above the base image, for `docker history`.
        settings: settings of the configuration (`User`, `Env`, …) that replace those of the base image.
    """

    base: Mapping[str, Any]
    layers: tuple[tuple[Descriptor, Content], ...]
    comments: tuple[str, ...]
    settings: Mapping[str, Any]
    media_type = _MANIFEST

    @cached_property
    def configuration(self) -> bytes:
        """The configuration, as JSON."""
        created = datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kept = {key: self.base[key] for key in ("architecture", "os", "variant", "os.version") if key in self.base}
        own = [{"created": created, "created_by": f"tfenv build: {comment}"} for comment in self.comments]
        return _json(
            {
                **kept,
                "created": created,
                "config": {**(self.base.get("config") or {}), **self.settings},
                "rootfs": {"type": "layers", "diff_ids": [descriptor.diff_id for descriptor, _ in self.layers]},
                "history": [*(self.base.get("history") or ()), *own],
            }
        )

    @cached_property
    def manifest(self) -> bytes:
        """The manifest, as JSON."""
        layers = [
            {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size} for layer, _ in self.layers
        ]
        config = {"mediaType": _CONFIG, "digest": _digest(self.configuration), "size": len(self.configuration)}
        return _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers})

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which registries name the image."""
        return _digest(self.manifest)

    @property
    def id(self) -> str:
        """The digest of the configuration, by which engines name the image."""
        return _digest(self.configuration)

    def blobs(self) -> Iterator[Blob]:
        """Everything that the manifest names, layers first."""
        yield from (Blob(layer.digest, layer.size, content) for layer, content in self.layers)
        yield Blob(self.id, len(self.configuration), _Bytes(self.configuration))

    def write(self, folder: Path, name: str, progress: Progress) -> None:
        """Write an OCI image layout into a folder; blobs that are there already, and other images, are kept.

        Raises:
            HostError: the folder cannot be written, or a folder in it is a link.
            IntegrityError: a layer or the configuration does not match its digest.
        """
        store = folder / "blobs" / "sha256"
        for path in (store.parent, store):
            if path.is_symlink():
                raise HostError(f"`{path}` is a link, which is not followed", hint="write elsewhere with `-o DIR`")
        with files.exclusive(folder):
            self._write(folder, store, name, progress)

    def _write(self, folder: Path, store: Path, name: str, progress: Progress) -> None:
        with files.whole(folder / "oci-layout") as out:
            out.write(_LAYOUT)
        blobs = [*self.blobs(), Blob(self.digest, len(self.manifest), _Bytes(self.manifest))]
        progress.start(WRITING, sum(blob.size for blob in blobs))
        for blob in blobs:
            digits = foreign.sha256(blob.digest)
            path = store / digits
            if path.is_symlink() or foreign.sha256_of(path) != digits:
                with files.whole(path) as out:
                    for piece in blob.pieces():
                        out.write(piece)
            progress.advance(WRITING, blob.size)
        with files.whole(folder / "index.json") as out:
            out.write(self._index(name, folder / "index.json"))
        progress.finish(WRITING)

    def archive(self, name: str, progress: Progress, known: Collection[str] = ()) -> Iterator[bytes]:
        """An archive for `docker load`, in pieces.

        Args:
            name: repository and tag.
            progress: reports bytes.
            known: diff IDs of the lowest layers, if the engine has all of these on top of each other.
        """
        kept = tuple(known)
        layers = [layer.digest for layer, _ in self.layers]
        contents = [*self.blobs()][len(kept) :]
        paths = [f"blobs/sha256/{digest.removeprefix('sha256:')}" for digest in layers]
        config = f"blobs/sha256/{self.id.removeprefix('sha256:')}"
        head = _json([{"Config": config, "RepoTags": [name], "Layers": paths}])
        progress.start(LOADING, sum(blob.size for blob in contents))
        yield from _member("manifest.json", len(head), iter((head,)))
        for blob in contents:
            path = f"blobs/sha256/{blob.digest.removeprefix('sha256:')}"
            for piece in _member(path, blob.size, blob.pieces()):
                yield piece
                progress.advance(LOADING, len(piece))
        yield bytes(2 * tarfile.BLOCKSIZE)
        progress.finish(LOADING)

    def _index(self, name: str, path: Path) -> bytes:
        """The index of a folder: its images under other names, and this one."""
        tag = name.rpartition(":")[2]
        entry = {
            "mediaType": _MANIFEST,
            "digest": self.digest,
            "size": len(self.manifest),
            "annotations": {_TAG: tag},
        }
        return _json({"schemaVersion": 2, "manifests": [*_others(path, tag, self.digest), entry]})


def _others(path: Path, tag: str, digest: str) -> list[Any]:
    """The images in an `index.json` that have another name and other contents; none if it cannot be read."""
    try:
        listed = json.loads(b"" if path.is_symlink() else path.read_bytes())["manifests"]
        return [each for each in listed if each["annotations"][_TAG] != tag and each["digest"] != digest]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


@dataclass(frozen=True, slots=True)
class _Bytes:
    data: bytes

    def pieces(self) -> Iterator[bytes]:
        yield self.data


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _member(name: str, size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    header = tarfile.TarInfo(name)
    header.size = size
    yield header.tobuf(tarfile.GNU_FORMAT)
    yield from pieces
    yield bytes(-size % tarfile.BLOCKSIZE)
