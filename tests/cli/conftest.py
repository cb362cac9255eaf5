"""An empty folder, a cache of its own, a small index, and a registry that cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import runner
from tests.support.index_server import FakeIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Tfenv

LINUX = "manylinux_2_27_x86_64"


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
    with FakeIndex() as fake:
        for version, pythons in (("2.19.1", ("cp311", "cp312")), ("2.20.0", ("cp312", "cp313"))):
            for python in pythons:
                tags = f"{python}-{python}-{LINUX}"
                cuda = [
                    f"{name}; extra == 'and-cuda'" for name in ("nvidia-cudnn-cu12>=9.3", "nvidia-cuda-runtime-cu12")
                ]
                requires = ["numpy>=1.26", "typing-extensions; python_version < '3.12'"]
                fake.add_wheel("tensorflow", version, requires=[*requires, *cuda], extras=["and-cuda"], tags=tags)
                fake.add_wheel("tensorflow-cpu", version, requires=requires, tags=tags)
        for version in ("1.26.4", "2.1.0"):
            fake.add_wheel("numpy", version, requires_python=">=3.9")
        fake.add_wheel("typing-extensions", "4.12.0")
        for version in ("9.10.2.21", "9.11.0.98"):
            fake.add_wheel("nvidia-cudnn-cu12", version, tags=f"py3-none-{LINUX}")
        fake.add_wheel("nvidia-cuda-runtime-cu12", "12.9.79", tags=f"py3-none-{LINUX}")
        yield fake
