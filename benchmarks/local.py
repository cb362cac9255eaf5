"""The local index as a process that is started, asked for its counts, and ended."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.tools import ENVIRONMENTS, ROOT
from benchmarks.world import FOLDER, RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDS = ("granian>=2.5", "trustme>=1.2", str(ROOT))


class Index:
    """A running one.

    Attributes:
        url: as for `--index-url`.
        ca: the file of the authority that signed its certificate.
    """

    def __init__(self, origin: str, ca: Path) -> None:
        self.url = f"{origin}/simple/"
        self.ca = ca
        self._origin = origin
        self._context = ssl.create_default_context(cafile=str(ca))

    def wait_for(self, milliseconds: float) -> None:
        """Set the round-trip time."""
        self._ask(f"/-/rtt/{milliseconds}")

    def counts(self) -> dict[str, int]:
        """The requests since the last call."""
        found: dict[str, int] = json.loads(self._ask("/-/counts"))
        return found

    def _ask(self, path: str) -> bytes:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context)
        )
        with opener.open(f"{self._origin}{path}", timeout=60) as answer:
            body: bytes = answer.read()
            return body


@contextmanager
def serving(*, record: bool = False) -> Iterator[Index]:
    """Run the index until the block ends."""
    folder = ENVIRONMENTS / "server"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, folder], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, *_NEEDS], check=True)
    certificates = FOLDER / "certificates"
    if not (certificates / "client.pem").exists():
        certificates.mkdir(parents=True, exist_ok=True)
        subprocess.run([python, "-m", "trustme", "-q", "-d", certificates, "-i", "localhost"], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    origin = f"https://localhost:{port}"
    command = [str(folder / "bin" / "granian"), "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--ssl-certificate",
        str(certificates / "server.pem"),
        "--ssl-keyfile",
        str(certificates / "server.key"),
    ]
    command += ["--no-ws", "--log-level", "warning", "benchmarks.server:app"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BENCHMARK_WORLD": str(RECORDING),
        "BENCHMARK_ORIGIN": origin,
        "BENCHMARK_RECORD": "1" if record else "",
    }
    process = subprocess.Popen(command, env=environment, cwd=FOLDER)
    index = Index(origin, certificates / "client.pem")
    try:
        _wait(index, process)
        yield index
    finally:
        process.terminate()
        process.wait()


def _wait(index: Index, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"the local index ended with {process.returncode}")
        try:
            index.counts()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the local index does not answer")
