"""User and password for an index, from its URL, the environment, or netrc."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from tfenv.errors import UsageError
from tfenv.store.foreign import without_login

_PORTS = {"http": 80, "https": 443}


def split(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL without its credentials, and the credentials.

    Raises:
        UsageError: the text is not an `http` or `https` URL.
    """
    parts = _parts(url)
    clean = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.username is None:
        return clean, None
    return clean, (unquote(parts.username), unquote(parts.password or ""))


def origin(url: str) -> str:
    """Scheme, host and port of a URL, which credentials belong to.

    Raises:
        UsageError: the text is not an `http` or `https` URL.
    """
    parts = _parts(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def variable(url: str) -> str:
    """The name of the environment variable for `user:password` of the host of a URL.

    For `https://pypi.example.com/simple/` it is `TFENV_AUTH_PYPI_EXAMPLE_COM`. A port other than the scheme's default
    is added to the name.
    """
    parts = _parts(url)
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f"_{parts.port}"
    return "TFENV_AUTH_" + re.sub(r"\W", "_", f"{parts.hostname}{port}").upper()


@dataclass(slots=True)
class Credentials:
    """Credentials by origin; a URL has priority over the environment, the environment over netrc."""

    _known: dict[str, tuple[str, str] | None] = field(default_factory=dict, repr=False)

    def learn(self, url: str) -> str:
        """Remember the credentials in a URL; returns the URL without them."""
        clean, found = split(url)
        if found is not None:
            self._known[origin(clean)] = found
        return clean

    def of(self, url: str) -> tuple[str, str] | None:
        """User and password for the origin of a URL, or ``None``."""
        key = origin(url)
        if key not in self._known:
            self._known[key] = _environment(url) or _netrc(url)
        return self._known[key]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"`{without_login(url)}` is not a URL of an index", hint="use a URL such as https://pypi.org/simple/"
        )
    return parts


def _environment(url: str) -> tuple[str, str] | None:
    user, _, password = os.environ.get(variable(url), "").partition(":")
    return (user, password) if user or password else None


def _netrc(url: str) -> tuple[str, str] | None:
    import netrc

    named = os.environ.get("NETRC")
    try:
        files = [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]
    except RuntimeError:  # no home directory
        return None
    host = urlsplit(url).hostname or ""
    for file in files:
        try:
            entry = netrc.netrc(file).hosts.get(host)  # not `default`, which would be sent to every index
        except (OSError, ValueError, netrc.NetrcParseError):
            continue
        if entry is not None:
            return entry[0] or "", entry[2] or ""
    return None
