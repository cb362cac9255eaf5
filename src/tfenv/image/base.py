"""A base image: its layers and configuration, and the files in it that the layers above depend on."""

from __future__ import annotations

import gzip
import json
import posixpath
import shutil
import tarfile
import tempfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tfenv.errors import EngineError, IntegrityError, UsageError
from tfenv.image.layer import Descriptor
from tfenv.store import files, foreign
from tfenv.store.cache import CACHE_HINT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tfenv.image.engine import Engine

_PIECE = 2**20
_TAR = "application/vnd.oci.image.layer.v1.tar"
_OPAQUE, _WHITEOUT = ".wh..wh..opq", ".wh."


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLayer:
    """A published layer, in a file."""

    descriptor: Descriptor
    file: Path

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the layer."""
        with self.file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base image.

    Attributes:
        reference: reference by which the image was requested.
        configuration: configuration of the image (https://github.com/opencontainers/image-spec/blob/main/config.md).
        layers: layers of the image, lowest first.
    """

    reference: str
    configuration: Mapping[str, Any]
    layers: tuple[BaseLayer, ...]

    def contents(self, wanted: Iterable[str]) -> dict[str, bytes | None]:
        """The files and links at these paths (without a leading slash) after all layers are applied.

        The value is the content of a small file, ``None`` for a large file, folder or link. Paths that do not exist are
        left out.

        Raises:
            UsageError: a layer cannot be read.
        """
        wanted = frozenset(wanted)
        found: dict[str, bytes | None] = {}
        try:
            for layer in self.layers:
                _read(layer, wanted, found)
        except (OSError, tarfile.TarError, zlib.error, EOFError) as error:
            raise UsageError(
                f"a layer of `{self.reference}` cannot be read: {error}",
                hint="use another base image: `--base-image IMAGE`",
            ) from error
        return found


def saved(engine: Engine, reference: str, place: Callable[[str], Path]) -> Base:
    """An image of an engine: its layers, uncompressed, in files.

    Args:
        engine: engine that has the image.
        reference: reference of the image.
        place: returns the path for a blob, by its SHA-256.

    Raises:
        EngineError: the engine has no such image.
        IntegrityError: the archive of the engine does not match the image's digests.
    """
    image = engine.image(reference)
    if image is None:
        raise EngineError(f"the engine has no image `{reference}`", hint="use another base image: `--base-image IMAGE`")
    paths = {digest: place(foreign.sha256(digest)) for digest in (image.id, *image.layers)}
    if not all(foreign.sha256_of(path) == foreign.sha256(digest) for digest, path in paths.items()):
        with tempfile.TemporaryFile() as archive:
            with files.writing(Path(tempfile.gettempdir()), hint="set TMPDIR to a place with room"):
                for piece in engine.save(reference):
                    archive.write(piece)
                archive.seek(0)
            _split(archive, [paths[digest] for digest in (image.id, *image.layers)])
        for digest in image.layers:
            if (found := foreign.sha256_of(path := paths[digest])) != foreign.sha256(digest):
                path.unlink(missing_ok=True)
                raise IntegrityError(f"the engine saved a part of `{reference}` with the SHA-256 {found}, not {digest}")
    layers = tuple(
        BaseLayer(
            descriptor=Descriptor(media_type=_TAR, digest=digest, size=paths[digest].stat().st_size, diff_id=digest),
            file=paths[digest],
        )
        for digest in image.layers
    )
    return Base(reference=reference, configuration=json.loads(paths[image.id].read_bytes()), layers=layers)


def _split(archive: IO[bytes], paths: list[Path]) -> None:
    """Write the configuration and the layers of an archive of `docker save` into one file each."""
    with tarfile.open(fileobj=archive) as tar:
        listed = tar.extractfile("manifest.json")
        (manifest,) = json.loads(listed.read() if listed is not None else b"[]")
        for name, path in zip([manifest["Config"], *manifest["Layers"]], paths, strict=True):
            stream = tar.extractfile(name)  # follows the links that replace a repeated layer
            if stream is None:
                raise EngineError(f"the archive that the engine saved lacks `{name}`")
            with files.whole(path, hint=CACHE_HINT) as out:
                shutil.copyfileobj(stream, out, _PIECE)


def _read(layer: BaseLayer, wanted: frozenset[str], found: dict[str, bytes | None]) -> None:
    with ExitStack() as stack:
        raw = stack.enter_context(layer.file.open("rb"))
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        plain = stack.enter_context(gzip.open(raw)) if zipped else raw
        archive = stack.enter_context(tarfile.open(fileobj=plain, mode="r|"))
        for member in archive:
            path = posixpath.normpath(member.name.lstrip("/"))
            above, name = posixpath.split(path)
            if name == _OPAQUE:
                _forget(found, f"{above}/")
            elif name.startswith(_WHITEOUT):
                gone = posixpath.join(above, name.removeprefix(_WHITEOUT))
                found.pop(gone, None)
                _forget(found, f"{gone}/")
            elif path in wanted:
                small = member.isfile() and member.size <= _PIECE
                stream = archive.extractfile(member) if small else None
                found[path] = None if stream is None else stream.read()


def _forget(found: dict[str, bytes | None], below: str) -> None:
    for path in [path for path in found if path.startswith(below)]:
        del found[path]
