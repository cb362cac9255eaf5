"""Whom to trust: the system's certificate authorities, and those the environment names."""

from __future__ import annotations

import os
import ssl

from tfenv.errors import UsageError


def context() -> ssl.SSLContext:
    """The system's certificates, and those of SSL_CERT_FILE and SSL_CERT_DIR on every system.

    Raises:
        UsageError: one of these variables names something unreadable.
    """
    import truststore

    trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, directories = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR", "")
    try:
        if file:
            trusted.load_verify_locations(cafile=file)
        for directory in filter(os.path.isdir, directories.split(os.pathsep)):
            trusted.load_verify_locations(capath=directory)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"SSL_CERT_FILE names `{file}`, which cannot be read: {error}") from None
    return trusted
