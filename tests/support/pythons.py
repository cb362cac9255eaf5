"""Other Pythons of this machine: without one a test skips and says so; in CI it fails instead."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.venv import interpreters

if TYPE_CHECKING:
    from pathlib import Path


def python_of(minor: str) -> Path:
    """The interpreter of a minor release, such as 3.6."""
    try:
        return interpreters.find(Version(minor))
    except UsageError as error:
        if os.environ.get("CI"):
            pytest.fail(error.message, pytrace=False)
        pytest.skip(error.message)
