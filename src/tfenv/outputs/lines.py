"""Lines of a requirements file, as pip reads them; conda passes such lines on to pip."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from tfenv.model.goal import PYPI

if TYPE_CHECKING:
    from tfenv.model.lock import Lock

_CREDENTIALS = re.compile(r'(?<=://)[^/?#@\s"]+@')
_IN_URLS = ":/?#[]@!$&'()*+,;=%~"
"""characters with a meaning in URLs (RFC 3986), and the percent sign of encoded characters"""


def without_credentials(content: str) -> str:
    """The text without the user names and passwords of its URLs."""
    return _CREDENTIALS.sub("", content)


def hashed(lock: Lock) -> tuple[tuple[str, str], ...]:
    """Each package's pin (`name==version`) and its hash option, sorted by name."""
    return tuple(
        (f"{package.name}=={package.version}", f"--hash=sha256:{package.file.sha256}")
        for package in sorted(lock.packages, key=lambda package: package.name)
    )


def index_options(lock: Lock) -> tuple[str, ...]:
    """Options that name the indexes; none if PyPI is the only one, so that a mirror configured by the user is used.

    pip takes a file from any of these indexes, but only one with the locked hash.
    """
    if lock.request.indexes in ((), (PYPI,)):
        return ()
    options = ("--index-url", *("--extra-index-url" for _ in lock.request.indexes[1:]))
    return tuple(f"{option} {_one_word(index)}" for option, index in zip(options, lock.request.indexes, strict=True))


def _one_word(url: str) -> str:
    """The URL without credentials; characters that could end the word, line or option are percent-encoded."""
    parts = urlsplit(without_credentials(url))
    return quote(urlunsplit(parts._replace(fragment="")), safe=_IN_URLS)
