"""A real container registry on 127.0.0.1, where Debian's `docker-registry` is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """Debian's `docker-registry`, on a free port of the loopback."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("Debian's docker-registry is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = folder / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: {address}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'store'}}}}}\n",
        encoding="utf-8",
    )
    with subprocess.Popen([program, "serve", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                try:
                    httpx.get(f"http://{address}/v2/").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.05)
            yield address
        finally:
            process.terminate()
