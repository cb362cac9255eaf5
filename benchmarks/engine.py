"""A separate container engine, so that other images neither affect the figures nor are removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


class Engine:
    """A running one.

    Attributes:
        environment: variables with which `docker` and `tfenv` find it. BuildKit is off: `tfenv build` talks to the
            classic builder, and here all ways of building use the same.
    """

    def __init__(self, host: str) -> None:
        import docker

        self.environment = {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
        self._client: Any = docker.APIClient(base_url=host, timeout=600)

    def answers(self) -> bool:
        """Whether the engine answers."""
        with suppress(Exception):
            return bool(self._client.ping())
        return False

    def size(self, reference: str) -> int:
        """The size of all layers of an image in bytes, unpacked."""
        return int(self._client.inspect_image(reference)["Size"])

    def used(self) -> int:
        """The size of all layers of all images in bytes, including those of build stages."""
        return int(self._client.df()["LayersSize"])

    def clean(self, keep: Collection[str]) -> None:
        """Remove every image except these and their base images."""
        import docker.errors

        kept = set()
        for image in keep:
            identity = self._client.inspect_image(image)["Id"]
            while identity:
                kept.add(identity)
                identity = self._client.inspect_image(identity)["Parent"]
        while others := {each["Id"] for each in self._client.images(all=True)} - kept:
            for identity in others:
                # an image that others are made from goes in a later round
                with suppress(docker.errors.APIError):
                    self._client.remove_image(identity, force=True)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """`dockerd`, its images in a folder, until the block ends."""
    program = shutil.which("dockerd")
    if program is None or os.geteuid() != 0:
        raise SystemExit("building images needs root and `dockerd` (Debian: docker.io, debootstrap)")
    folder = folder.resolve()  # runc follows no links
    folder.mkdir(parents=True, exist_ok=True)
    # the path of a socket must be short
    with tempfile.TemporaryDirectory(prefix="engine-") as own, (folder / "log").open("ab") as log:
        host = f"unix://{own}/socket"
        places = ["--data-root", f"{folder}/data", "--exec-root", f"{own}/exec", "--pidfile", f"{own}/pid"]
        # steps that may use a network use that of the host
        command = [program, "--host", host, *places, "--bridge", "none", "--iptables=false"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            running = Engine(host)
            for _ in range(600):
                if running.answers():
                    break
                if process.poll() is not None:
                    raise SystemExit(f"dockerd ended with {process.returncode}; see {folder / 'log'}")
                time.sleep(0.1)
            yield running
        finally:
            process.terminate()
            process.wait()
            # what it leaves mounted where steps used the network of the host
            subprocess.run(["umount", f"{own}/exec/netns/default"], check=False, capture_output=True)
