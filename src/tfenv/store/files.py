"""Files: text is read, and written completely or not at all."""

from __future__ import annotations

import codecs
import errno
import os
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tfenv.errors import HostError, UsageError
from tfenv.store.heading import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # the byte order mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


DISK_FAULTS = frozenset({errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""error numbers of a disk that is full, read-only or broken, whatever was written to it"""
_LARGEST = 64 * 2**20
"""bytes of a text that is read whole: a lock of 170 packages has 1 MB"""


def paths_of(named: Path | str | Iterable[Path | str]) -> list[Path]:
    """The paths that a caller names: one or several."""
    return [Path(path) for path in ((named,) if isinstance(named, str | Path) else named)]


def read(path: Path) -> str:
    """The text of a file: UTF-8, unless a byte order mark says otherwise (PowerShell writes UTF-16).

    Raises:
        UsageError: the file does not exist, cannot be read, is larger than 64 MiB, or is not text.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # a name with a zero byte raises ValueError
        raise UsageError(f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return _text(content, f"`{path}`")


def standard_input() -> BinaryIO:
    """The bytes of standard input.

    Raises:
        UsageError: standard input is closed.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed", hint="name a file instead of `-`")
    return sys.stdin.buffer


def read_standard_input() -> str:
    """The text of standard input, read as `read` reads a file.

    Raises:
        UsageError: standard input is closed, larger than 64 MiB, or not text.
    """
    return _text(standard_input().read(_LARGEST + 1), "standard input")


def _text(content: bytes, name: str) -> str:
    if len(content) > _LARGEST:
        raise UsageError(f"{name} is larger than {_LARGEST >> 20} MiB")
    encoding, skip = next(((codec, len(mark)) for mark, codec in _MARKS if content.startswith(mark)), ("utf-8", 0))
    try:
        return content[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not {encoding.upper()} text: byte {error.start + skip} cannot be read") from error


@contextmanager
def writing(path: Path, *, hint: str | None = None) -> Iterator[None]:
    """Raise errors of writing with the name of the file, which the error of a full disk lacks.

    Args:
        path: file or folder that the block writes.
        hint: what to do if it cannot be written.

    Raises:
        HostError: the system refused to write: a full or read-only disk, a folder in the way, missing rights.
    """
    try:
        yield
    except OSError as error:
        # copying a folder raises one error with all failures, without an error number
        reason = error.strerror or str(error)[:200]
        raise HostError(f"`{path}` cannot be written: {reason}", hint=hint) from error


@contextmanager
def whole(path: Path, *, hint: str | None = None) -> Iterator[BinaryIO]:
    """A file that gets its name when the block ends, and is removed if the block raises.

    Args:
        path: path of the file; missing folders are created.
        hint: what to do if it cannot be written.

    Raises:
        HostError: the file cannot be written.
    """
    import tempfile

    with writing(path, hint=hint):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                yield out
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """A folder that other processes which use this function do not change meanwhile; they wait (POSIX only).

    The folder is created if it is missing, and removed again if it was and is empty when the block ends. Nothing is
    written into it: the system releases the lock when the process ends, however it ends.

    Args:
        folder: the folder.
        shared: whether others who also share it may go on.

    Raises:
        HostError: the folder cannot be created or opened.
    """
    with writing(folder):
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        yield
        return
    handle = _held(folder, shared=shared)
    try:
        yield
    finally:
        if new:
            with suppress(OSError):
                folder.rmdir()
        os.close(handle)


def _held(folder: Path, *, shared: bool) -> int:
    """The handle of a locked folder."""
    import fcntl

    while True:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(handle), folder.stat()):
                return handle
        except OSError:
            pass
        os.close(handle)  # the process that was waited for removed the folder


def write(texts: Mapping[Path, str], *, force: bool = False) -> tuple[Path, ...]:
    """Write every file, or none if one cannot be written; each appears whole, in one step.

    A file that already has its text is not touched. A link is not followed: it is a file that tfenv did not write, and
    with `force` it is replaced.

    Args:
        texts: text of each file; missing folders are created.
        force: whether to overwrite files that tfenv did not write.

    Returns:
        The files, in the order given.

    Raises:
        UsageError: a file of that name exists and was not written by tfenv.
        HostError: a file or folder cannot be written: the disk is full or read-only, or a folder is in the way.
    """
    for path in texts:
        with writing(path):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    changed = {path: text for path, text in texts.items() if _stands(path) != text}
    foreign = [path for path in changed if not force and not is_ours(_stands(path) or "# Written by tfenv")]
    if foreign:
        names = ", ".join(f"`{path}`" for path in foreign)
        raise UsageError(
            f"{names} {'is' if len(foreign) == 1 else 'are'} not written by tfenv and will not be overwritten",
            hint="write elsewhere with `-o DIR`, or overwrite with `--force`",
        )
    with ExitStack() as undo:
        ready = []
        for path, text in changed.items():
            with writing(path):
                ready.append((_temporary(path, text, undo), path))
        for temporary, path in ready:
            with writing(path):
                temporary.replace(path)
    for folder in {path.parent for _, path in ready}:
        with writing(folder):
            _sync(folder)
    return tuple(texts)


def _stands(path: Path) -> str | None:
    """The current text of a file; a placeholder that tfenv never writes if it cannot be read as text."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # a link is not followed, a pipe is not opened
            return "something else"
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        return "something else"


def _temporary(path: Path, text: str, undo: ExitStack) -> Path:
    """A temporary file next to the final one, with its text, synchronized to disk."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    undo.callback(temporary.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    # a temporary file is private; give it the permissions of the old file, or those of a new file
    is_file = path.is_file() and not path.is_symlink()
    temporary.chmod(path.stat().st_mode & 0o777 if is_file else 0o666 & ~_umask())
    return temporary


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(folder: Path) -> None:
    """Synchronize the new names to disk; on Windows, where folders cannot be opened, the system does it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
