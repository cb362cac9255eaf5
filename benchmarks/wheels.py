"""Wheels for an image or an environment: downloads from a local server, and environments made by linking."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.tools import TOOLS, empty
from tfenv.index import download
from tfenv.store.cache import Cache
from tfenv.workflow.render import read_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfenv.model.lock import Lock

_DOWNLOADS, _SYNCS = 3, 10
_PARALLEL = "6"
_FETCH = """
import sys
from pathlib import Path
from tfenv.store.cache import Cache
from tfenv.index.download import download
from tfenv.workflow.render import read_lock
download([package.file for package in read_lock(Path(sys.argv[1])).packages], cache=Cache(Path(sys.argv[2])))
"""


def fetch(locks: Iterable[Path], cache: Path) -> None:
    """Download the wheels of all locks into a cache of tfenv."""
    for lock in locks:
        download.download([package.file for package in read_lock(lock).packages], cache=Cache(cache))


def sizes(lock: Lock, cache: Path) -> tuple[int, int]:
    """The size of the wheels of a lock in bytes, compressed and unpacked."""
    packed = unpacked = 0
    for path in _files(lock, cache):
        packed += path.stat().st_size
        with zipfile.ZipFile(path) as wheel:
            unpacked += sum(member.file_size for member in wheel.infolist())
    return packed, unpacked


def weight(folder: Path) -> int:
    """The size of all files in a folder in bytes; 0 if it does not exist."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def held(cache: Path) -> int:
    """The size of the wheels in a cache of tfenv in bytes."""
    return sum(path.stat().st_size for path in cache.rglob("*.whl"))


def packed(layout: Path) -> int:
    """The size of the image in an OCI image layout in bytes, without layers of earlier images in the folder."""
    (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads((layout / "blobs" / entry["digest"].replace(":", "/")).read_bytes())
    return sum(layer["size"] for layer in manifest["layers"])


def forget_layers(cache: Path) -> None:
    """Remove the digests of layers from a cache; wheels stay."""
    for entry in (cache / "v1" / "documents").rglob("*"):
        if entry.is_file() and b'"diff_id"' in entry.read_bytes():
            entry.unlink()


@contextmanager
def served(locks: Iterable[Path], cache: Path) -> Iterator[str]:
    """Serve all wheels of some locks from one folder by plain HTTP; yields the URL."""
    with tempfile.TemporaryDirectory() as folder:
        for path in {path for lock in locks for path in _files(read_lock(lock), cache)}:
            (Path(folder) / path.name).symlink_to(path)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}/"
            finally:
                server.shutdown()


class _Files(http.server.SimpleHTTPRequestHandler):
    """Sends the headers with which clients cache a file permanently, as PyPI does."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        if self.path.endswith(".whl"):
            self.send_header("ETag", f'"{self.path}"')
            self.send_header("Cache-Control", "max-age=365000000, immutable, public")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Log nothing."""


def speed(lock: Path, place: Path) -> dict[str, list[float]]:
    """Seconds for tfenv and curl to download all wheels of a lock, in turn; curl checks no hashes."""
    folder = place / "downloads"
    found: dict[str, list[float]] = {"tfenv": [], "curl": []}
    for _ in range(_DOWNLOADS):
        for name, seconds in found.items():
            empty(folder)
            if name == "tfenv":
                command = [str(TOOLS[0].folder / "bin" / "python"), "-c", _FETCH, str(lock), str(folder / "cache")]
            else:
                pairs = [(package.file.url, package.file.filename) for package in read_lock(lock).packages]
                text = "".join(f'url = "{url}"\noutput = "{filename}"\n' for url, filename in pairs)
                (folder / "wanted").write_text(text)
                command = ["curl", "-sSf", "--parallel", "--parallel-max", _PARALLEL, "--config", "wanted"]
            seconds.append(_seconds([command], folder, dict(os.environ)))
    shutil.rmtree(folder)
    return found


def sync(lock: Path, place: Path, cache: Path) -> dict[str, list[float]]:
    """Seconds for tfenv and uv to create an environment from wheels in their own caches, in turn."""
    uv = str(next(tool for tool in TOOLS if tool.installs == ("uv",)).folder / "bin" / "uv")
    folder = empty(place / "sync")
    environment = {
        **os.environ,
        "PATH": f"{Path(uv).parent}:{TOOLS[0].folder / 'bin'}:/usr/bin:/bin",
        "TFENV_CACHE_DIR": str(cache),
        "UV_CACHE_DIR": str(folder / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    commands: dict[str, list[list[str]]] = {
        "tfenv": [["tfenv", "sync", "-q", "--python", sys.executable, "--venv", "venv"]],
        "uv": [
            ["uv", "venv", "-q", "--python", sys.executable, "venv"],
            ["uv", "pip", "sync", "-q", "--python", "venv", "pylock.toml"],
        ],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    with served([lock], cache) as links:
        # the index at hand may send nothing that lets uv cache
        text = re.sub(r'(url = ")[^"]*/', rf"\g<1>{links}", lock.read_text(encoding="utf-8"))
        (folder / "pylock.toml").write_text(text, encoding="utf-8")
        for number in range(_SYNCS + 1):
            for name, seconds in found.items():
                shutil.rmtree(folder / "venv", ignore_errors=True)
                taken = _seconds(commands[name], folder, environment)
                if number:  # the first fills the caches
                    seconds.append(taken)
    shutil.rmtree(folder)
    return found


def _files(lock: Lock, cache: Path) -> list[Path]:
    known = Cache(cache)
    return [known.file(package.file.sha256 or "", package.file.filename) for package in lock.packages]


def _seconds(commands: Sequence[Sequence[str]], folder: Path, environment: dict[str, str]) -> float:
    total = 0.0
    for command in commands:
        ran = measure.run(command, cwd=folder, environment=environment, limit=1800)
        if ran.code:
            raise SystemExit(f"{' '.join(command)}: exit {ran.code}\n{ran.output}")
        total += ran.seconds
    return round(total, 3)
