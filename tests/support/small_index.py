"""A few releases of TensorFlow with their dependencies, on an index of our own; the facts know the real ones."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.index_server import FakeIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

LINUX = "manylinux_2_27_x86_64"


@contextmanager
def small_index() -> Iterator[FakeIndex]:
    """TensorFlow 2.19.1 and 2.20.0, with and without CUDA."""
    with FakeIndex() as fake:
        for version, pythons in (("2.19.1", ("cp311", "cp312")), ("2.20.0", ("cp312", "cp313"))):
            for python in pythons:
                add_tensorflow(fake, version, python)
        for version in ("1.26.4", "2.1.0"):
            fake.add_wheel("numpy", version, requires_python=">=3.9")
        fake.add_wheel("typing-extensions", "4.12.0")
        for version in ("9.10.2.21", "9.11.0.98"):
            fake.add_wheel("nvidia-cudnn-cu12", version, tags=f"py3-none-{LINUX}")
        fake.add_wheel("nvidia-cuda-runtime-cu12", "12.9.79", tags=f"py3-none-{LINUX}")
        yield fake


def add_tensorflow(fake: FakeIndex, version: str, python: str) -> None:
    """Wheels of a release for a Python such as `cp312`, with one dependency each."""
    tags = f"{python}-{python}-{LINUX}"
    cuda = [f"{name}; extra == 'and-cuda'" for name in ("nvidia-cudnn-cu12>=9.3", "nvidia-cuda-runtime-cu12")]
    requires = ["numpy>=1.26", "typing-extensions; python_version < '3.12'"]
    fake.add_wheel("tensorflow", version, requires=[*requires, *cuda], extras=["and-cuda"], tags=tags)
    fake.add_wheel("tensorflow-cpu", version, requires=requires, tags=tags)
