"""An empty folder, a cache of its own, a small index, and a registry that cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import runner
from tests.support.small_index import small_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Tfenv
    from tests.support.index_server import FakeIndex


@pytest.fixture
def tfenv(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tfenv:
    """Runs a command in an empty folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("TFENV_OFFLINE", raising=False)
    return runner(capsys)


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """A few releases of TensorFlow with one dependency each; the facts know the real ones of the same version."""
    with small_index() as fake:
        yield fake
