"""An engine's API on 127.0.0.1 that answers what it is told to: for what a real engine cannot be made to do."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.local_server import LocalServer


class FakeEngine(LocalServer):
    """Answers by method and path without version and query; what it was not told is a 404. A context manager.

    Attributes:
        answers: status and content for `GET /info` and the like; a list of messages is streamed, one a line.
        requests: method, path and body of all that came in.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {"GET /version": (200, {"ApiVersion": "1.41"})}
        self.requests: list[tuple[str, bytes]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                path = re.sub(r"^/v[\d.]+", "", self.path.partition("?")[0])
                fake.requests.append((f"{self.command} {path}", self._body()))
                status, content = fake.answers.get(f"{self.command} {path}", (404, {"message": f"no such {path}"}))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Connection", "close")
                if isinstance(content, list):
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    lines = [json.dumps(line).encode() + b"\r\n" for line in content]
                    self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in (*lines, b"")))
                else:
                    body = json.dumps(content).encode()
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                whole = b""
                while size := int(self.rfile.readline(), 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = _answer  # noqa: N815 - names that the server calls

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                """Say nothing."""

        super().__init__(Handler)

    @property
    def host(self) -> str:
        """A value of DOCKER_HOST."""
        return f"tcp://{self.address}"
