"""The one door for names from outside that become paths, and for files that must be what their name says.

Locks, indexes, registries and caches name files. Such a name becomes a path only if it is one component of a small
alphabet, so that it cannot leave its folder, and a digest only if it is a whole SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tfenv.errors import IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]{0,254}", re.ASCII)
"""names of distributions and layers: the alphabet of project names, versions, tags and epochs"""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}:)?/{1,3}")
_PREFIX = "sha256:"
_BLOCK = 2**20
_LONGEST_SHOWN = 200


def component(name: object) -> str:
    """The name, if it is one component of a path.

    Raises:
        IntegrityError: it contains a separator, a control character or another foreign character, begins with a dot, or
            is empty or too long.
    """
    if not is_component(name):
        raise IntegrityError(f"`{shown(name)}` is not a name for a file of the cache")
    return str(name)


def is_component(name: object) -> bool:
    """Whether a name is one component of a path."""
    return isinstance(name, str) and _COMPONENT.fullmatch(name) is not None and not name.endswith(".")


def sha256(digest: object) -> str:
    """The 64 hexadecimal digits of a digest `sha256:…`.

    Raises:
        IntegrityError: the text is not such a digest in full.
    """
    if not is_digest(digest):
        raise IntegrityError(f"`{shown(digest)}` is not a digest: `sha256:` and 64 lower-case hexadecimal digits")
    return str(digest)[len(_PREFIX) :]


def is_digest(digest: object) -> bool:
    """Whether a value is a digest `sha256:…` in full."""
    return isinstance(digest, str) and digest.startswith(_PREFIX) and is_sha256(digest[len(_PREFIX) :])


def is_sha256(digits: object) -> bool:
    """Whether a value is the 64 hexadecimal digits of a SHA-256, in lower case."""
    return isinstance(digits, str) and _SHA256.fullmatch(digits) is not None


def sha256_of(path: Path) -> str | None:
    """The SHA-256 of a file in hexadecimal digits; ``None`` if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def shown(value: object) -> str:
    """A foreign value for a message: short, and without characters that a terminal obeys."""
    text = value if isinstance(value, str) else repr(value)
    return printable(text[:_LONGEST_SHOWN]) + ("…" if len(text) > _LONGEST_SHOWN else "")


def printable(text: str, *, kept: str = "") -> str:
    """The text with every character that a terminal may obey or hide as its escape, except those in `kept`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept else char.encode("unicode_escape").decode() for char in text
    )


def without_login(url: str) -> str:
    """The text of a URL for a message, without user and password, even if it is not a valid URL.

    Everything between the scheme and the last `@` is left out, because a password may contain any character.
    """
    before, at, after = url.rpartition("@")
    if not at:
        return url
    scheme = _SCHEME.match(before)
    return f"{scheme[0] if scheme else ''}{after}"
