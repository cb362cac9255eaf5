"""Certificate authorities and proxies, found in one place for every client."""

from __future__ import annotations

import platform
import ssl
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfenv.errors import UsageError
from tfenv.machine import network


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment that runs the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """By scheme, then that for all; a proxy without a scheme speaks HTTP; NO_PROXY excludes hosts."""
    assert network.Proxies().of("https", "a.example") is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("all_proxy", "http://other.example")
    monkeypatch.setenv("NO_PROXY", "b.example,.corp")
    proxies = network.Proxies()
    assert proxies.of("https", "a.example") == "http://proxy.example:3128"
    assert proxies.of("http", "a.example") == "http://other.example"
    assert proxies.of("https", "b.example:8443") is None
    assert proxies.of("https", "x.corp") is None
    assert network.proxy_variables() == {
        "HTTPS_PROXY": "proxy.example:3128",
        "all_proxy": "http://other.example",
        "NO_PROXY": "b.example,.corp",
    }


def test_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_FILE comes before the system's, for every client; one that cannot be read is an error."""
    (bundle := tmp_path / "ca.pem").write_bytes(b"mine")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert (network.authority_file(), network.authorities()) == (str(bundle), b"mine")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    for ask in (network.authority_file, network.authorities, network.tls):
        with pytest.raises(UsageError, match="SSL_CERT_FILE names"):
            ask()


def test_a_system_without_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A slim container has none: those of certifi count."""
    empty = SimpleNamespace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: empty)
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    assert "certifi" in network.authority_file()
    assert network.authority_folder() is None
    assert b"BEGIN CERTIFICATE" in network.authorities()
    assert len(network.tls().get_ca_certs()) > 50
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert network.authority_folder() == str(tmp_path)


def test_other_systems_have_a_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On macOS and Windows the system's own store counts, and what SSL_CERT_FILE names beside it."""
    loaded: list[dict[str, Any]] = []

    class Store(ssl.SSLContext):
        def load_verify_locations(self, **places: Any) -> None:  # type: ignore[override]
            loaded.append(places)

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setitem(sys.modules, "truststore", SimpleNamespace(SSLContext=Store))
    assert isinstance(network.tls(), Store)
    assert not loaded
    (bundle := tmp_path / "ca.pem").write_bytes(b"mine")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    network.tls()
    assert loaded[0]["cafile"] == str(bundle)
    assert network.authorities() == b"mine"
