"""Wheels that no installer should unpack, recognized before anything of them is installed.

Installers differ in what they refuse. A wheel is refused here if one of them would refuse it, or would put something
outside of its own files: `tfenv sync` and `tfenv build` then agree, whatever installs.

Source: https://packaging.python.org/specifications/binary-distribution-format/, and the checks of uv on archives.
"""

from __future__ import annotations

import csv
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from tfenv.errors import HostError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_ENCRYPTED, _DESCRIBED = 0x1, 0x8
_LOCAL, _END = b"PK\3\4", b"PK\5\6"
_LOCAL_SIZE, _END_SIZE = 30, 22
_NEWEST = 63
"""version of the zip format, times ten, that can be read"""
_PIECE = 2**20
_MOST_MEMBERS = 200_000
_LARGEST = 64 * 2**30
"""bytes of all files of a wheel, unpacked"""
_LONGEST_PART, _LONGEST_NAME = 255, 4000
"""bytes of a name, and of a path, that file systems accept"""
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_FIELDS = 3
"""columns of RECORD: path, hash, size"""
_OWN = frozenset({"_tfenv.pth", "_tfenv_loader.py"})
"""files that tfenv writes into an environment"""
_PYTHON = re.compile(r"(python|pypy)[0-9.]*w?(\.exe)?", re.IGNORECASE)
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, csv.Error, ValueError, KeyError, RuntimeError)
"""what reading a damaged archive raises"""
_TEXT_LIMIT = 64 * 2**20
"""bytes of RECORD and entry_points.txt; that of the largest TensorFlow has 3 MB"""
_SECTION = re.compile(r"\[\s*(console_scripts|gui_scripts)\s*\]")
_OBJECT = re.compile(r"\w+(\.\w+)*\s*:\s*\w+(\.\w+)*\s*(\[[^\]]*\])?")
_HINT = "the wheel is malformed or hostile: report it to its index, and lock another release"


def check(wheel: Path) -> None:
    """Raise an error if the archive of a wheel is malformed, ambiguous, or reaches outside of its own files.

    Contents are not unpacked; see `check_contents`.

    Args:
        wheel: path of a wheel whose hash was checked.

    Raises:
        IntegrityError: the wheel is refused; the message names the file in it.
        HostError: the wheel cannot be read.
    """
    with _refused(wheel) as archive:
        members = archive.infolist()
        with wheel.open("rb") as stream:
            _check_frame(stream, archive, members)
            _check_local_headers(stream, members)
        _check_members(members)
        _check_paths([info.orig_filename for info in members])
        folder = _check_info(members)
        _check_record(_text(archive, f"{folder}/RECORD"), {info.filename for info in members})
        if any(info.filename == f"{folder}/entry_points.txt" for info in members):
            _check_scripts(_text(archive, f"{folder}/entry_points.txt"))


def check_contents(wheel: Path) -> None:
    """Raise an error if a compressed file of a wheel does not end where the archive says, or has another checksum.

    Raises:
        IntegrityError: as in `check`.
    """
    with _refused(wheel) as archive, wheel.open("rb") as stream:
        for info in archive.infolist():
            if info.compress_type == zipfile.ZIP_DEFLATED:
                for _ in inflated(raw(stream, info), info):
                    pass


def raw(stream: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a file as stored in an archive.

    Raises:
        BadZipFile: the archive ends too early.
    """
    stream.seek(info.header_offset)
    name, extra = struct.unpack("<26xHH", stream.read(_LOCAL_SIZE))
    stream.seek(info.header_offset + _LOCAL_SIZE + name + extra)
    left = info.compress_size
    while left:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise zipfile.BadZipFile("it ends too early")
        left -= len(piece)
        yield piece


def inflated(pieces: Iterable[bytes], info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The contents of a compressed file, in pieces of 1 MiB at most.

    Args:
        pieces: the compressed bytes.
        info: entry of the file in the archive.

    Raises:
        BadZipFile: the compressed bytes do not end where the entry says, or the contents are not what it says.
    """
    inflate, crc, size = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    for piece in pieces:
        waiting = piece
        while waiting:
            plain = inflate.decompress(waiting, _PIECE)
            waiting = inflate.unconsumed_tail
            crc, size = zlib.crc32(plain, crc), size + len(plain)
            if size > info.file_size or inflate.unused_data:
                raise zipfile.BadZipFile(f"`{_shown(info.filename)}` has more data than its entry says")
            yield plain
    rest = inflate.flush()
    crc, size = zlib.crc32(rest, crc), size + len(rest)
    yield rest
    if not inflate.eof or inflate.unused_data or (crc, size) != (info.CRC, info.file_size):
        raise zipfile.BadZipFile(f"`{_shown(info.filename)}` is damaged")


@contextmanager
def _refused(wheel: Path) -> Iterator[zipfile.ZipFile]:
    """An opened wheel, with every fault of it as one kind of error."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    except OSError as error:
        raise HostError(f"`{wheel}` cannot be read: {error.strerror}") from error
    except _FAULTS as error:
        reason = str(error.args[0] if isinstance(error, KeyError) else error)
        raise IntegrityError(f"`{wheel.name}` is refused: {_CONTROL.sub('?', reason)}", hint=_HINT) from error


def _check_frame(stream: BinaryIO, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """The archive fills the file: nothing before its first file, nothing behind its end."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SIZE - len(archive.comment)))
    if stream.read(4) != _END:
        raise zipfile.BadZipFile("there are bytes behind the end of the archive")
    if members and min(info.header_offset for info in members) != 0:
        raise zipfile.BadZipFile("there are bytes before the first file of the archive")
    if len(members) > _MOST_MEMBERS:
        raise zipfile.BadZipFile(f"it has more than {_MOST_MEMBERS} files")
    if sum(info.file_size for info in members) > _LARGEST:
        raise zipfile.BadZipFile(f"its files have more than {_LARGEST >> 30} GiB")


def _check_local_headers(stream: BinaryIO, members: list[zipfile.ZipInfo]) -> None:
    """Each file is described before its bytes as in the directory of the archive, which not all installers read."""
    end = 0
    for info in sorted(members, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise zipfile.BadZipFile(f"`{_shown(info.filename)}` overlaps another file")
        stream.seek(info.header_offset)
        header = stream.read(_LOCAL_SIZE)
        if header[:4] != _LOCAL:
            raise zipfile.BadZipFile(f"`{_shown(info.filename)}` has no header")
        _, flags, method, _, _, crc, packed, size, name_size, extra = struct.unpack("<4xHHHHHLLLHH", header)
        name = stream.read(name_size)
        if name not in (info.orig_filename.encode("utf-8", "replace"), _in_437(info.orig_filename)):
            raise zipfile.BadZipFile(f"`{_shown(info.filename)}` has another name in its header")
        if flags & _ENCRYPTED != info.flag_bits & _ENCRYPTED or method != info.compress_type:
            raise zipfile.BadZipFile(f"`{_shown(info.filename)}` has another compression in its header")
        known = crc == info.CRC and packed in (info.compress_size, 2**32 - 1) and size in (info.file_size, 2**32 - 1)
        if not known and not flags & _DESCRIBED:
            raise zipfile.BadZipFile(f"`{_shown(info.filename)}` has another size or checksum in its header")
        end = info.header_offset + _LOCAL_SIZE + name_size + extra + info.compress_size


def _in_437(name: str) -> bytes:
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:
        return b""


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """Each file can be read, and has one meaning."""
    seen: dict[str, zipfile.ZipInfo] = {}
    for info in members:
        name = _shown(info.filename)
        if info.flag_bits & _ENCRYPTED:
            raise zipfile.BadZipFile(f"`{name}` is encrypted")
        if info.extract_version > _NEWEST:
            raise zipfile.BadZipFile(f"`{name}` needs version {info.extract_version / 10:g} of the format")
        other = seen.setdefault(info.filename, info)
        if other is not info and (other.CRC, other.file_size) != (info.CRC, info.file_size):
            raise zipfile.BadZipFile(f"`{name}` occurs twice, with different contents")


def _check_paths(names: list[str]) -> None:
    """Each path stays in the wheel, and none is a file and a folder."""
    files = {name for name in names if not name.endswith("/")}
    for name in names:
        parts = name.rstrip("/").split("/")
        if "\\" in name or _CONTROL.search(name):
            raise zipfile.BadZipFile(f"`{_shown(name)}` contains a backslash or control character")
        if not _stays(parts):
            raise zipfile.BadZipFile(f"`{_shown(name)}` is not a path inside of the wheel")
        if len(name.encode("utf-8", "replace")) > _LONGEST_NAME or any(
            len(part.encode("utf-8", "replace")) > _LONGEST_PART for part in parts
        ):
            raise zipfile.BadZipFile(f"`{_shown(name)}` is too long")
        for count in range(1, len(parts)):
            if (above := "/".join(parts[:count])) in files:
                raise zipfile.BadZipFile(f"`{_shown(above)}` is a file and a folder")
        if name in _OWN:
            raise zipfile.BadZipFile(f"`{name}` is a file of tfenv")
        if len(parts) > 2 and parts[0].endswith(".data"):
            _check_scheme(name, parts[1], parts[2:])


def _check_scheme(name: str, scheme: str, rest: list[str]) -> None:
    """A file for the top of the environment replaces neither its Python nor its configuration."""
    if scheme == "data" and rest[0] == "bin" and len(rest) > 1:
        scheme, rest = "scripts", rest[1:]
    replaces = (scheme == "data" and rest == ["pyvenv.cfg"]) or (
        scheme == "scripts" and _PYTHON.fullmatch(rest[0]) is not None
    )
    if replaces:
        raise zipfile.BadZipFile(f"`{name}` would replace a part of the environment")


def _check_info(members: list[zipfile.ZipInfo]) -> str:
    """The one folder with the metadata of the wheel."""
    paths = {info.filename for info in members}
    folders = {path.partition("/")[0] for path in paths if path.partition("/")[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise zipfile.BadZipFile(f"it has {len(folders)} `*.dist-info` folders, not one")
    (folder,) = folders
    for wanted in ("METADATA", "WHEEL", "RECORD"):
        if f"{folder}/{wanted}" not in paths:
            raise zipfile.BadZipFile(f"it lacks `{folder}/{wanted}`")
    return folder


def _check_record(text: str, paths: set[str]) -> None:
    """RECORD names files of the wheel: installers remove what it names."""
    for row in csv.reader(text.splitlines(), strict=True):
        if row and len(row) != _FIELDS:
            raise zipfile.BadZipFile(f"a line of its RECORD has {len(row)} fields, not {_FIELDS}")
        if row and row[0] not in paths and not _stays(row[0].split("/")):
            raise zipfile.BadZipFile(f"its RECORD names `{_shown(row[0])}`, which is not in the wheel")


def _check_scripts(text: str) -> None:
    """Scripts have ordinary names and call a function."""
    ours = False
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("["):
            ours = _SECTION.fullmatch(bare) is not None
        elif ours and bare and not bare.startswith(("#", ";")):
            name, _, called = (part.strip() for part in bare.partition("="))
            if not _stays([name]) or "/" in name or "\\" in name or _CONTROL.search(name) or _PYTHON.fullmatch(name):
                raise zipfile.BadZipFile(f"`{_shown(name)}` is not a name for a script")
            if _OBJECT.fullmatch(called) is None:
                raise zipfile.BadZipFile(f"its script `{_shown(name)}` calls `{_shown(called)}`, not a function")


def _stays(parts: list[str]) -> bool:
    """Whether the parts of a path lead into its folder on every system."""
    return not any(part in ("", ".", "..") for part in parts) and _DRIVE.match(parts[0]) is None


def _text(archive: zipfile.ZipFile, name: str) -> str:
    info = archive.getinfo(name)
    if info.file_size > _TEXT_LIMIT:
        raise zipfile.BadZipFile(f"`{_shown(name)}` is larger than {_TEXT_LIMIT >> 20} MiB")
    with archive.open(info) as stream:
        return stream.read(_TEXT_LIMIT).decode("utf-8")


def _shown(name: str) -> str:
    return _CONTROL.sub("?", name if len(name) < 120 else f"{name[:60]}…{name[-40:]}")
