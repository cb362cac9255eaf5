"""Marks that ask for the world: without it a test skips and says so; in CI it fails instead."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import cache

import pytest


@cache
def _engine() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False, timeout=60).returncode == 0


@cache
def _index() -> bool:
    try:
        socket.create_connection(("pypi.org", 443), timeout=10).close()
    except OSError:
        return False
    return True


def pytest_configure() -> None:
    """Newer facts of whoever runs the tests do not count in them."""
    os.environ["TFENV_DATA_DIR"] = os.path.join(tempfile.gettempdir(), "tfenv-tests-without-facts")  # noqa: PTH118


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--part K/N`: every Nth test, from the Kth on; `today` for K takes another part each day."""
    parser.addoption("--part", metavar="K/N", help="run every Nth test, from the Kth on (or `today/N`)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the part that was asked for."""
    part = config.getoption("--part")
    if part is None:
        return
    which, _, of = part.partition("/")
    number = datetime.now(UTC).timetuple().tm_yday if which == "today" else int(which)
    kept = items[number % int(of) :: int(of)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Is what the test's marks ask for there?"""
    for mark, there, what in (
        ("engine", _engine, "no container engine answers: start one (`dockerd`), or set DOCKER_HOST"),
        ("index", _index, "the package index cannot be reached"),
    ):
        if item.get_closest_marker(mark) is not None and not there():
            if os.environ.get("CI"):
                pytest.fail(what, pytrace=False)
            pytest.skip(what)
