"""Every test of an index runs with both transports."""

from __future__ import annotations

import sys

import pytest

ONLY_VALUES = ("test_lenient", "test_pages", "test_sdist", "test_remote_zip", "test_network")
"""Modules of tests that send no request."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask for both transports."""
    if metafunc.module.__name__.rpartition(".")[2] not in ONLY_VALUES:
        metafunc.fixturenames.append("transport")
        metafunc.parametrize("transport", ["libcurl", "httpx"], indirect=True)


@pytest.fixture
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The transport that requests take: httpx's own where pycurl is not installed."""
    if request.param == "httpx":
        monkeypatch.setitem(sys.modules, "pycurl", None)
    return str(request.param)
