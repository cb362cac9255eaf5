"""Files read and written: text in, and texts out whole or not at all."""

from __future__ import annotations

import codecs
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.store.heading import is_ours

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # the mark of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read(path: Path) -> str:
    """The text of a file: UTF-8, unless a byte order mark says otherwise (PowerShell writes UTF-16).

    Raises:
        UsageError: there is no such file, it cannot be read, or it is not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror}") from error
    encoding, skip = next(((name, len(mark)) for mark, name in _MARKS if content.startswith(mark)), ("utf-8", 0))
    try:
        return content[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"`{path}` is not {encoding.upper()} text: byte {error.start + skip} cannot be read"
        ) from error


def write(texts: Mapping[Path, str], *, force: bool = False) -> tuple[Path, ...]:
    """Write every file, or none if one cannot be written; each appears whole, in one step.

    A file that holds its text already is left as it is.

    Args:
        texts: the text of each file; missing folders are made.
        force: overwrite files that tfenv did not write itself, too.

    Returns:
        The files, in the order given.

    Raises:
        UsageError: a file of someone else stands in the way, or a folder cannot be written to.
    """
    changed = {path: text for path, text in texts.items() if _stands(path) != text}
    foreign = [path for path in changed if not force and not is_ours(_stands(path) or "# Written by tfenv")]
    if foreign:
        names = ", ".join(f"`{path}`" for path in foreign)
        raise UsageError(
            f"{names} {'is' if len(foreign) == 1 else 'are'} not of tfenv's making and will not be overwritten",
            hint="write elsewhere with `-o DIR`, or overwrite with `--force`",
        )
    try:
        with ExitStack() as undo:
            ready = [(_temporary(path.resolve(), text, undo), path.resolve()) for path, text in changed.items()]
            for temporary, path in ready:
                temporary.replace(path)
        for folder in {path.parent for _, path in ready}:
            _sync(folder)
    except OSError as error:
        raise UsageError(f"`{error.filename or 'a file'}` cannot be written: {error.strerror}") from error
    return tuple(texts)


def _stands(path: Path) -> str | None:
    """What stands in a file now; something that is no text of tfenv's if it cannot be read as text."""
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        return "something else"


def _temporary(path: Path, text: str, undo: ExitStack) -> Path:
    """A file beside the one that is to be, holding its text, safely on the disk."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    undo.callback(temporary.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    # a temporary file is for its owner only; the file is for whom the old one was, or a new one would be
    temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
    return temporary


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(folder: Path) -> None:
    """Put the new names on the disk too; where folders cannot be opened (Windows) the system sees to it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
