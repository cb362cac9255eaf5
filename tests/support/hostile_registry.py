"""A registry on 127.0.0.1 that sends what a test tells it to: a sound base image, or lies about it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.local_server import LocalServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(data: bytes) -> str:
    """The digest of these bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _layer() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (
            ("usr/local/bin/python3.11", b"#!ELF" + bytes(3000)),
            ("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"),
            ("etc/group", b"root:x:0:\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


class HostileRegistry(LocalServer):
    """Serves one image with Python 3.11 for linux/amd64; a context manager.

    Attributes:
        layer: compressed layer of the image.
        configuration: configuration of the image.
        manifest: manifest that every tag and digest is answered with.
        blobs: content by digest, served without a check.
        asked: paths of all requests.
    """

    def __init__(self) -> None:
        plain = _layer()
        self.layer = gzip.compress(plain, 6, mtime=0)
        self.configuration = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Env": ["PATH=/usr/local/bin:/usr/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(plain)]},
                "history": [],
            }
        ).encode()
        self.blobs = {digest(self.layer): self.layer, digest(self.configuration): self.configuration}
        self.manifest = json.dumps(self.document()).encode()
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Print nothing."""

            def do_GET(self) -> None:
                registry.asked.append(self.path)
                match = re.fullmatch(r"/v2/(.+?)/(manifests|blobs)/(.+)", self.path)
                body = None
                if match is not None:
                    body = registry.manifest if match[2] == "manifests" else registry.blobs.get(match[3])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", MANIFEST)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

        super().__init__(Handler)

    @property
    def reference(self) -> str:
        """The image by its tag."""
        return f"{self.address}/base/python:3.11"

    def document(self) -> dict[str, Any]:
        """The sound manifest."""
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(self.configuration),
                "size": len(self.configuration),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": digest(self.layer),
                    "size": len(self.layer),
                }
            ],
        }
