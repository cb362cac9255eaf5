"""Lines of a requirements file, as pip reads them; conda hands such lines on to pip."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from tfenv.model.goal import PYPI

if TYPE_CHECKING:
    from tfenv.model.lock import Lock

_CREDENTIALS = re.compile(r'(?<=://)[^/?#@\s"]+@')
_IN_URLS = ":/?#[]@!$&'()*+,;=%~"
"""characters with a meaning in URLs (RFC 3986) and the percent of what is encoded already"""


def without_credentials(content: str) -> str:
    """The text with the user name and password taken out of every URL in it."""
    return _CREDENTIALS.sub("", content)


def hashed(lock: Lock) -> tuple[tuple[str, str], ...]:
    """Each package's pin (`name==version`) and its hash option, sorted by name."""
    return tuple(
        (f"{package.name}=={package.version}", f"--hash=sha256:{package.file.sha256}")
        for package in sorted(lock.packages, key=lambda package: package.name)
    )


def index_options(lock: Lock) -> tuple[str, ...]:
    """Options that name the indexes; none where PyPI is the only one, so that a mirror of the user's stays in force.

    pip takes a file from any of the indexes named, but only one that has the locked hash.
    """
    if lock.request.indexes in ((), (PYPI,)):
        return ()
    options = ("--index-url", *("--extra-index-url" for _ in lock.request.indexes[1:]))
    return tuple(f"{option} {_one_word(index)}" for option, index in zip(options, lock.request.indexes, strict=True))


def _one_word(url: str) -> str:
    """The URL with all that could end the word, the line or the option percent-encoded, and without credentials."""
    parts = urlsplit(without_credentials(url))
    return quote(urlunsplit(parts._replace(fragment="")), safe=_IN_URLS)
