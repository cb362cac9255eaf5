"""How this machine reaches the network: its certificate authorities and its proxies, the same for every client.

The clients are those of indexes (libcurl or httpx), of registries, and of builds that download. A container engine has
its own settings (`DOCKER_HOST`, `DOCKER_CERT_PATH`).
"""

from __future__ import annotations

import os
import platform
import ssl
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

from tfenv.errors import UsageError

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",
)
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY")


class Proxies:
    """The proxies of the environment, or of the system where the environment names none; read once."""

    def __init__(self) -> None:
        self._known = getproxies()

    def of(self, scheme: str, host: str) -> str | None:
        """URL of the proxy for requests to a host, or ``None``.

        Args:
            scheme: of the request, `http` or `https`.
            host: name or address, with the port if it is not that of the scheme.
        """
        proxy = self._known.get(scheme) or self._known.get("all")
        if not proxy or proxy_bypass(host):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def proxy_variables() -> dict[str, str]:
    """The environment variables about proxies that are set, in the spelling in which they are set."""
    spellings = (spelling for name in _PROXY_VARIABLES for spelling in (name, name.lower()))
    return {name: value for name in spellings if (value := os.environ.get(name))}


def authority_file() -> str:
    """A file with certificate authorities in PEM: that of SSL_CERT_FILE, else the system's, else Mozilla's (certifi).

    Raises:
        UsageError: SSL_CERT_FILE names a file that cannot be read.
    """
    named = os.environ.get("SSL_CERT_FILE")
    if named:
        try:
            with Path(named).open("rb"):
                return named
        except OSError as error:
            raise UsageError(f"SSL_CERT_FILE names `{named}`, which cannot be read: {error.strerror}") from None
    usual = ssl.get_default_verify_paths().cafile
    found = usual or next((path for path in _BUNDLES if Path(path).is_file()), None)
    if found is None:
        import certifi

        found = certifi.where()
    return found


def authority_folder() -> str | None:
    """The folder of SSL_CERT_DIR, else the system's, one authority a file; ``None`` if there is none."""
    folder = os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().capath
    return folder if folder and Path(folder.partition(os.pathsep)[0]).is_dir() else None


def tls() -> ssl.SSLContext:
    """A client's TLS settings with the authorities of `authority_file` and `authority_folder`.

    On macOS and Windows those of the system's own store count too.

    Raises:
        UsageError: as `authority_file`.
    """
    file, folder = authority_file(), authority_folder()
    if platform.system() == "Linux":
        return ssl.create_default_context(cafile=file, capath=folder)
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        context.load_verify_locations(cafile=file, capath=folder)
    return context


def authorities() -> bytes:
    """The certificate authorities in PEM, for a build that downloads.

    Raises:
        UsageError: as `authority_file`.
    """
    if platform.system() == "Linux" or os.environ.get("SSL_CERT_FILE"):
        return Path(authority_file()).read_bytes()
    listed = ssl.create_default_context().get_ca_certs(binary_form=True)
    pem = "".join(map(ssl.DER_cert_to_PEM_cert, listed)).encode()
    return pem or Path(authority_file()).read_bytes()
