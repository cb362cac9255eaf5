"""Files that a lock can hold."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tfenv.model.package import File, Name
from tfenv.resolver.candidate import is_lockable


@pytest.mark.parametrize(
    ("filename", "version", "lockable"),
    [
        ("functools32-3.2.3-2.tar.gz", "3.2.3.post2", False),
        ("functools32-3.2.3.post2.tar.gz", "3.2.3.post2", True),
        ("some-name-1.0.zip", "1.0", True),
        ("name-1.0.tar.bz2", "1.0", False),
        ("name-1.0-py3-none-any.whl", "1.0", True),
    ],
)
def test_names_that_installers_refuse(filename: str, version: str, lockable: bool) -> None:
    """A source distribution needs a dash and exactly its version at the end of its name."""
    file = File(name=Name("name"), version=Version(version), filename=filename, url="", sha256=None)
    assert is_lockable(file) is lockable
