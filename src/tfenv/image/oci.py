"""An image by the OCI's specification: layers, configuration, manifest; as a folder, or as an archive to load.

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

from tfenv.image.layer import EPOCH
from tfenv.store import files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tfenv.image.layer import Descriptor
    from tfenv.model.progress import Progress

WRITING, LOADING = "image", "loading into the engine"
"""Names of the tasks told to `Progress`; their unit is bytes."""

_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


class Content(Protocol):
    """Bytes that come piece by piece."""

    def pieces(self) -> Iterator[bytes]:
        """From the first to the last."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """What has a digest.

    Attributes:
        digest: `sha256:…`
        size: in bytes.
        content: its bytes.
    """

    digest: str
    size: int
    content: Content

    def pieces(self) -> Iterator[bytes]:
        """Its bytes."""
        return self.content.pieces()


@dataclass(frozen=True)
class NewImage:
    """An image that is yet nowhere.

    Attributes:
        base: configuration of the image it starts from.
        layers: all of them, those of the base too, lowest first: what the manifest says, and the bytes.
        comments: of the layers that the base has not, for `docker history`.
        settings: of the configuration (`User`, `Env`, …), which replace those of the base.
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
                "rootfs": {"type": "layers", "diff_ids": [told.diff_id for told, _ in self.layers]},
                "history": [*(self.base.get("history") or ()), *own],
            }
        )

    @cached_property
    def manifest(self) -> bytes:
        """The manifest, as JSON."""
        layers = [{"mediaType": told.media_type, "digest": told.digest, "size": told.size} for told, _ in self.layers]
        config = {"mediaType": _CONFIG, "digest": _digest(self.configuration), "size": len(self.configuration)}
        return _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers})

    @property
    def digest(self) -> str:
        """Of the manifest: what registries call the image."""
        return _digest(self.manifest)

    @property
    def id(self) -> str:
        """Digest of the configuration: what engines call the image."""
        return _digest(self.configuration)

    def blobs(self) -> Iterator[Blob]:
        """All that the manifest names, layers first."""
        yield from (Blob(told.digest, told.size, content) for told, content in self.layers)
        yield Blob(self.id, len(self.configuration), _Bytes(self.configuration))

    def write(self, folder: Path, name: str, progress: Progress) -> None:
        """Write an OCI image layout into a folder; blobs that are there stay.

        Raises:
            HostError: the folder cannot be written.
        """
        store = folder / "blobs" / "sha256"
        with files.whole(folder / "oci-layout") as out:
            out.write(_LAYOUT)
        blobs = [*self.blobs(), Blob(self.digest, len(self.manifest), _Bytes(self.manifest))]
        progress.start(WRITING, sum(blob.size for blob in blobs))
        for blob in blobs:
            path = store / blob.digest.removeprefix("sha256:")
            if not (path.is_file() and path.stat().st_size == blob.size):
                with files.whole(path) as out:
                    for piece in blob.pieces():
                        out.write(piece)
            progress.advance(WRITING, blob.size)
        with files.whole(folder / "index.json") as out:
            out.write(self._index(name))
        progress.finish(WRITING)

    def archive(self, name: str, progress: Progress, known: Collection[str] = ()) -> Iterator[bytes]:
        """What `docker load` takes, in pieces.

        Args:
            name: repository and tag.
            progress: told of bytes.
            known: diff IDs of the lowest layers, as far as the engine has them all, one upon the other.
        """
        kept = tuple(known)
        layers = [told.digest for told, _ in self.layers]
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

    def _index(self, name: str) -> bytes:
        told = {
            "mediaType": _MANIFEST,
            "digest": self.digest,
            "size": len(self.manifest),
            "annotations": {"org.opencontainers.image.ref.name": name.rpartition(":")[2]},
        }
        return _json({"schemaVersion": 2, "manifests": [told]})


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
    told = tarfile.TarInfo(name)
    told.size = size
    yield told.tobuf(tarfile.GNU_FORMAT)
    yield from pieces
    yield bytes(-size % tarfile.BLOCKSIZE)
