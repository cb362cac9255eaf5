"""A layer of an image, made of wheels without unpacking or compressing anything.

A layer is a gzipped tar file. A gzip file may have several members (RFC 1952, 2.2), and a wheel (a zip file) uses the
same compression. The compressed bytes of a file in the wheel can therefore be copied into the layer, with a gzip header
before and the checksum behind them. Headers and padding of the tar file go into gzip members without compression. The
bytes depend on the wheels alone: not on the host, its zlib, the time, or the folder.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, InvalidRecordEntry, RecordEntry, parse_record_file
from installer.scripts import Script
from installer.sources import WheelFile
from installer.utils import Scheme, construct_record_file, fix_shebang

from tfenv.errors import HostError, IntegrityError
from tfenv.store import wheel_archive

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from installer.scripts import ScriptSection
    from installer.sources import WheelContentElement

EPOCH = 315532800
"""time of every file: 1980-01-01, the first that a zip file can record"""
MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""header of a member: deflated, without name and time, of unknown system"""
_STORED = 2**16 - 1
"""largest number of bytes in a block without compression"""
_COPIED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """The entry of a layer in a manifest.

    Attributes:
        media_type: media type of the layer.
        digest: digest of the compressed bytes, `sha256:…`.
        size: size of the compressed bytes.
        diff_id: digest of the uncompressed tar file, `sha256:…`.
    """

    media_type: str
    digest: str
    size: int
    diff_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEntry:
    """A file, folder or link in a layer.

    Attributes:
        path: path without a slash at its beginning.
        mode: permissions, and the file type of a folder.
        data: content of a file; ``None`` if `member` has it, or for a folder or link.
        member: file in a wheel that has the content.
        link: target of a symbolic link.
        owner: number of the user and group.
    """

    path: str
    mode: int = 0o644
    data: bytes | None = None
    member: WheelMember | None = None
    link: str | None = None
    owner: int = 0


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file in a wheel."""

    wheel: Path
    info: zipfile.ZipInfo
    record: tuple[str, str, str] = ("", "", "")

    def pieces(self, stream: BinaryIO) -> Iterator[bytes]:
        """The contents of the file, in pieces of 1 MiB at most, checked against the entry of the archive.

        Args:
            stream: the opened wheel.

        Raises:
            BadZipFile: the contents are not what the entry says.
        """
        if self.info.compress_type == zipfile.ZIP_DEFLATED:
            yield from wheel_archive.inflated(wheel_archive.raw(stream, self.info), self.info)
            return
        crc, size = 0, 0
        for piece in wheel_archive.raw(stream, self.info):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            yield piece
        if (crc, size) != (self.info.CRC, self.info.file_size):
            raise zipfile.BadZipFile(f"{self.info.filename} is damaged")


class Layer:
    """A layer whose bytes are made when they are needed, piece by piece.

    Args:
        name: name for messages and the image's history.
        entries: contents in any order; the last of several entries for one path counts.
    """

    media_type = MEDIA_TYPE

    def __init__(self, name: str, entries: Iterable[LayerEntry]) -> None:
        self.name = name
        self._entries = {entry.path: entry for entry in entries}

    def measure(self) -> Descriptor:
        """Compute the digests and the size. Everything is read and compared with the checksums in the wheels."""
        outer, inner, size = hashlib.sha256(), hashlib.sha256(), 0
        for piece in self._pieces(inner.update):
            outer.update(piece)
            size += len(piece)
        return Descriptor(
            media_type=MEDIA_TYPE,
            digest=f"sha256:{outer.hexdigest()}",
            size=size,
            diff_id=f"sha256:{inner.hexdigest()}",
        )

    def pieces(self) -> Iterator[bytes]:
        """The bytes that `measure` computes the digest of."""
        return self._pieces(None)

    def paths(self) -> Iterable[str]:
        """The paths of all files and links in the layer."""
        return self._entries.keys()

    def _pieces(self, see: Callable[[bytes], object] | None) -> Iterator[bytes]:
        pending = bytearray()
        opened: dict[Path, BinaryIO] = {}
        try:
            for entry in self._sorted():
                pending += _header(entry)
                if entry.member is None:
                    pending += entry.data or b""
                elif entry.member.info.compress_type == zipfile.ZIP_DEFLATED:
                    yield _stored(pending, see)
                    yield from _deflated(entry.member, _opened(entry.member, opened), see)
                else:
                    for piece in entry.member.pieces(_opened(entry.member, opened)):
                        pending += piece
                        if len(pending) > _PIECE:
                            yield _stored(pending, see)
                pending += bytes(-_size(entry) % tarfile.BLOCKSIZE)
                if len(pending) > _PIECE:
                    yield _stored(pending, see)
            pending += bytes(2 * tarfile.BLOCKSIZE)
            yield _stored(pending, see)
        except (zlib.error, struct.error, zipfile.BadZipFile) as error:
            raise IntegrityError(f"a wheel of the layer `{self.name}` is damaged: {error}") from error
        except OSError as error:
            raise HostError(f"the wheels of the layer `{self.name}` cannot be read: {error}") from error
        finally:
            for file in opened.values():
                file.close()

    def _sorted(self) -> Iterator[LayerEntry]:
        """The entries by path, each folder before its contents."""
        folders = {path for name in self._entries for path in _above(name)} - self._entries.keys()
        # with entries for the folders, so that every engine creates them alike
        entries = [*self._entries.values(), *(LayerEntry(path=path, mode=stat.S_IFDIR | 0o755) for path in folders)]
        return iter(sorted(entries, key=lambda entry: entry.path.split("/")))


def folder(path: str, *, owner: int = 0) -> LayerEntry:
    """An empty folder."""
    return LayerEntry(path=path, mode=stat.S_IFDIR | 0o755, owner=owner)


def wheel_entries(wheel: Path, schemes: Mapping[str, str], interpreter: str) -> list[LayerEntry]:
    """The files that the installation of a wheel creates, including `RECORD` and scripts.

    Args:
        wheel: path of a wheel whose hash was checked.
        schemes: absolute folder of each installation scheme.
        interpreter: path of the Python in the first line of scripts.

    Raises:
        IntegrityError: the wheel is malformed or hostile.
        HostError: the wheel cannot be read.
    """
    wheel_archive.check(wheel)
    destination = _Destination(schemes, interpreter)
    try:
        # `installer` warns that it leaves out the bytecode in NumPy's wheels, which is intended
        with zipfile.ZipFile(wheel) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            install(_Source(archive, wheel), destination, {"INSTALLER": b"tfenv\n"})
    except OSError as error:
        raise HostError(f"`{wheel.name}` cannot be read: {error}") from error
    except (*FAULTS, zipfile.BadZipFile, zlib.error) as error:
        raise IntegrityError(f"`{wheel.name}` cannot be installed: {error}") from error
    return destination.entries


FAULTS = (InstallerError, InvalidRecordEntry, ValueError, AssertionError, KeyError)
"""what `installer` raises for a malformed wheel"""


class _Source(WheelFile):
    """A wheel whose files are referred to instead of opened."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        super().__init__(archive)
        self._archive = archive
        self._path = path

    def get_contents(self) -> Iterator[WheelContentElement]:
        rows = {row[0]: row for row in parse_record_file(self.read_dist_info("RECORD").splitlines())}
        for info in self._archive.infolist():
            if info.is_dir():
                continue
            row = rows.get(info.filename, (info.filename, "", ""))
            mode = info.external_attr >> 16
            stream = _Stream(self._archive, WheelMember(self._path, info, row))
            yield row, cast("BinaryIO", stream), bool(stat.S_ISREG(mode) and mode & 0o111)


class _Stream:
    """The reference to a file that `installer` passes from the source to the destination."""

    def __init__(self, archive: zipfile.ZipFile, member: WheelMember) -> None:
        self._archive = archive
        self.member = member

    def read(self) -> bytes:
        return self._archive.read(self.member.info)

    def measure(self) -> tuple[str, str]:
        """Hash and size of the contents as in RECORD, without holding them in memory."""
        found, size = hashlib.sha256(), 0
        with self.member.wheel.open("rb") as stream:
            for piece in self.member.pieces(stream):
                found.update(piece)
                size += len(piece)
        return f"sha256={_base64(found.digest())}", str(size)


class _Destination(WheelDestination):
    """Collects entries of a layer instead of writing files."""

    def __init__(self, schemes: Mapping[str, str], interpreter: str) -> None:
        self._schemes = schemes
        self._interpreter = interpreter
        self.entries: list[LayerEntry] = []

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        name, data = Script(name, module, attr, section).generate(self._interpreter, "posix")
        return self._add("scripts", name, data, executable=True)

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        name = str(path)
        if not isinstance(stream, _Stream):
            return self._add(scheme, name, stream.read(), executable=is_executable)
        if scheme == "scripts":
            with fix_shebang(io.BytesIO(stream.read()), self._interpreter) as fixed:
                return self._add(scheme, name, fixed.read(), executable=True)
        if stream.member.info.compress_type not in _COPIED:
            return self._add(scheme, name, stream.read(), executable=is_executable)
        mode = 0o755 if is_executable else 0o644
        self.entries.append(LayerEntry(path=self._place(scheme, name), mode=mode, member=stream.member))
        hash_, size = stream.member.record[1:] if stream.member.record[1] else stream.measure()
        row = RecordEntry.from_elements(name, hash_, size)
        return RecordEntry(name, row.hash_, row.size)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        here = self._schemes[scheme]

        def prefix(other: str) -> str | None:
            there = self._schemes[other]
            return None if there == here else f"{posixpath.relpath(there, here)}/"

        with construct_record_file(records, prefix) as stream:
            self._add(scheme, record_file_path, stream.read(), executable=False)

    def _add(self, scheme: str, name: str, data: bytes, *, executable: bool) -> RecordEntry:
        self.entries.append(LayerEntry(path=self._place(scheme, name), mode=0o755 if executable else 0o644, data=data))
        return RecordEntry(name, Hash("sha256", _base64(hashlib.sha256(data).digest())), len(data))

    def _place(self, scheme: str, name: str) -> str:
        root = self._schemes[scheme].lstrip("/")
        path = posixpath.normpath(f"{root}/{name}")
        if not path.startswith(f"{root}/"):
            raise ValueError(f"its file `{name}` would be outside of the environment")
        return path


def _base64(digest: bytes) -> str:
    """A digest as RECORD contains it."""
    import base64

    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _size(entry: LayerEntry) -> int:
    return entry.member.info.file_size if entry.member is not None else len(entry.data or b"")


def _header(entry: LayerEntry) -> bytes:
    header = tarfile.TarInfo(entry.path)
    header.mtime = EPOCH
    header.uid = header.gid = entry.owner
    header.mode = stat.S_IMODE(entry.mode)
    header.size = _size(entry)
    if entry.link is not None:
        header.type, header.linkname, header.mode = tarfile.SYMTYPE, entry.link, 0o777
    elif stat.S_ISDIR(entry.mode):
        header.type = tarfile.DIRTYPE
    return header.tobuf(tarfile.GNU_FORMAT)


def _stored(data: bytearray, see: Callable[[bytes], object] | None) -> bytes:
    """A gzip member without compression (RFC 1951, 3.2.4) around the pending bytes, which are removed."""
    plain = bytes(data)
    data.clear()
    if see is not None:
        see(plain)
    out = bytearray(_GZIP)
    for start in range(0, len(plain), _STORED):
        block = plain[start : start + _STORED]
        last = start + _STORED >= len(plain)
        out += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + _trailer(zlib.crc32(plain), len(plain)))


def _deflated(member: WheelMember, stream: BinaryIO, see: Callable[[bytes], object] | None) -> Iterator[bytes]:
    """A gzip member around the compressed bytes in the wheel."""
    yield _GZIP
    yield from wheel_archive.raw(stream, member.info)
    if see is not None:
        for plain in member.pieces(stream):
            see(plain)
    yield _trailer(member.info.CRC, member.info.file_size)


def _opened(member: WheelMember, opened: dict[Path, BinaryIO]) -> BinaryIO:
    """The file of a wheel, opened once."""
    if member.wheel not in opened:
        opened[member.wheel] = member.wheel.open("rb")
    return opened[member.wheel]


def _trailer(crc: int, size: int) -> bytes:
    return struct.pack("<II", crc, size & 0xFFFFFFFF)
