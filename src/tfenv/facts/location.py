"""The folder of the facts: those included in tfenv, or newer ones of the user (`facts update --user`).

The user's facts are a complete folder that also has every included table, so that no table is older than another.
`facts.json` in the data folder names the folder in use, and is replaced in one step. It is valid only for the tfenv
whose facts it was made from: a newer tfenv includes facts of its own.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.errors import UsageError
from tfenv.machine.folders import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("facts", "symbols")
"""Subfolders of a set of facts that programs read."""

DATE = "date.txt"
"""File that holds the day on which all tables were last compared with what is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsFolder:
    """A set of facts.

    Attributes:
        root: folder that holds `facts` and `symbols`.
        date: day on which they were last compared with what is published.
        is_users: whether they are the user's, not those included in tfenv.
        unused: folder of the user's facts made with another tfenv, which are ignored; ``None`` if there are none.
    """

    root: Path
    date: date
    is_users: bool
    unused: Path | None = None


def in_use() -> FactsFolder:
    """The facts that every command uses now.

    Raises:
        UsageError: no facts are found, or those of the user are damaged.
    """
    own = shipped()
    pointer = pointer_file()
    try:
        text = pointer.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return FactsFolder(root=own, date=_date(own), is_users=False)
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(pointer, error) from None
    try:
        named = json.loads(text)
        root, made_from, files = pointer.parent / Path(named["folder"]).name, named["made_from"], named["files"]
        expected = {str(name): int(mark) for name, mark in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(pointer, error) from None
    if made_from != identity(own):
        return FactsFolder(root=own, date=_date(own), is_users=False, unused=root)
    found = _checksums(root)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise damaged(root / name, "it is missing" if name not in found else "it is not what was written")
    return FactsFolder(root=root, date=_date(root), is_users=True)


def shipped() -> Path:
    """The folder `constraints` beside the package, as a wheel installs it, else in the checkout two levels up.

    Raises:
        UsageError: the folder does not exist.
    """
    package = Path(__file__).resolve().parent.parent
    folders = (package / "constraints", package.parent.parent / "constraints")
    for folder in folders:
        if all((folder / part).is_dir() for part in PARTS):
            return folder
    raise UsageError(
        f"there is no folder `{folders[-1]}`", hint="install tfenv again; its wheel contains the folder `constraints`"
    )


def pointer_file() -> Path:
    """The file that names the user's facts; it exists only if there are such facts."""
    return data_folder() / "facts.json"


def pointer(root: Path, made_from: Path) -> str:
    """The text of the file that names the user's facts.

    Args:
        root: folder of the facts, beside the file.
        made_from: facts included in tfenv, which were updated.
    """
    named = {"folder": root.name, "made_from": identity(made_from), "files": _checksums(root)}
    return f"{json.dumps(named, indent=1)}\n"


def identity(root: Path) -> str:
    """A digest of the version of tfenv and of the names and sizes of all files in a set of facts."""
    from importlib.metadata import version

    sizes = sorted((path.relative_to(root).as_posix(), path.stat().st_size) for path in _files(root))
    return hashlib.sha256(json.dumps([version("tfenv"), sizes]).encode()).hexdigest()[:12]


def _checksums(root: Path) -> dict[str, int]:
    """The CRC-32 of each file of a set of facts, by its path in the folder."""
    return {path.relative_to(root).as_posix(): zlib.crc32(path.read_bytes()) for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    for part in PARTS:
        yield from (path for path in (root / part).rglob("*") if path.is_file())


def damaged(path: Path, reason: object) -> UsageError:
    """The error for a file of facts that differs from what tfenv wrote."""
    return UsageError(f"`{path}` is damaged: {reason}", hint=remedy(path))


def remedy(path: Path) -> str:
    """What to do about a damaged file of facts."""
    pointer = pointer_file()
    if path.is_relative_to(pointer.parent):
        return f"delete `{pointer}` to use the facts that come with tfenv; `tfenv facts update --user` reads new ones"
    return "install tfenv again"


def _date(root: Path) -> date:
    path = root / "facts" / DATE
    try:
        return date.fromisoformat(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        raise UsageError(f"`{path}` cannot be read: {error}", hint="install tfenv again") from None
