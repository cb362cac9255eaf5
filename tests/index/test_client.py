"""The HTTP client: retries, ranges, credentials, certificates."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.index_server import FakeIndex
from tfenv.errors import IndexUnavailable, UsageError
from tfenv.index.client import Client, RangesUnsupported
from tfenv.index.credentials import Credentials, origin, split, variable
from tfenv.index.loop import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeIndex]:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FakeIndex() as fake:
        fake.add_wheel("demo", "1.0")
        yield fake


def get(url: str, credentials: Credentials | None = None, **options: float) -> httpx.Response:
    async def run() -> httpx.Response:
        async with Client(credentials, pause=0.001, timeout=options.get("timeout", 5.0)) as client:
            return await client.get(url)

    return asyncio.run(run())


def ranged(url: str, start: int, stop: int) -> bytes:
    async def run() -> bytes:
        async with Client(pause=0.001) as client:
            return await client.range(url, start, stop)

    return asyncio.run(run())


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(index: FakeIndex, status: int) -> None:
    """Statuses that may pass are repeated until they do."""
    index.fault("/simple/demo/", status=status, times=3)
    assert get(f"{index.url}demo/").status_code == 200
    assert len(index.asked("/simple/demo/")) == 4


def test_truncated_bodies_are_tried_again(index: FakeIndex) -> None:
    """A body shorter than promised is not taken for the answer."""
    index.fault("/simple/demo/", cut=20, times=2)
    assert get(f"{index.url}demo/").json()["name"] == "demo"
    assert len(index.asked("/simple/demo/")) == 3


def test_slow_answers_are_tried_again(index: FakeIndex) -> None:
    """Silence for longer than the timeout counts as a failure."""
    index.fault("/simple/demo/", seconds=0.5, times=1)
    assert get(f"{index.url}demo/", timeout=0.1).status_code == 200


def test_lasting_failure_names_the_url_without_credentials(index: FakeIndex) -> None:
    """After the last attempt the error says which URL, how often and why, and keeps the password to itself."""
    index.fault("/simple/demo/", status=500, times=99)
    with pytest.raises(IndexUnavailable) as caught:
        get(f"{index.url_with('me', 'hunter2')}demo/")
    assert f"{index.url}demo/ failed 5 times: it answered 500" in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
    assert len(index.asked("/simple/demo/")) == 5


def test_nobody_there() -> None:
    """A refused connection ends as IndexUnavailable too."""
    with FakeIndex() as fake:
        url = fake.url
    with pytest.raises(IndexUnavailable, match="failed 5 times"):
        get(url)


def test_retry_after_is_honoured(index: FakeIndex) -> None:
    """A server that asks for a pause gets it, in either form; a date gone by is no pause."""
    index.fault("/simple/demo/", status=429, headers={"Retry-After": "1"})
    index.fault("/simple/demo/", status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    index.fault("/simple/demo/", status=503, headers={"Retry-After": "soon"})
    begun = time.monotonic()
    assert get(f"{index.url}demo/").status_code == 200
    assert 1.0 <= time.monotonic() - begun < 2.0


def test_an_hour_is_too_long_to_wait(index: FakeIndex) -> None:
    """A pause beyond all patience is an answer."""
    index.fault("/simple/demo/", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(IndexUnavailable, match="failed once: it answered 429"):
        get(f"{index.url}demo/")


def test_not_found_is_an_answer(index: FakeIndex) -> None:
    """404 is for the caller to understand."""
    assert get(f"{index.url}nothing/").status_code == 404
    assert len(index.requests) == 1


@pytest.mark.parametrize("status", [400, 418, 501])
def test_other_statuses_are_final(index: FakeIndex, status: int) -> None:
    """What will not pass is not repeated."""
    index.fault("/simple/demo/", status=status)
    with pytest.raises(IndexUnavailable, match=f"answered {status}"):
        get(f"{index.url}demo/")
    assert len(index.requests) == 1


def test_a_body_beyond_the_limit(index: FakeIndex) -> None:
    """Nobody can fill the memory."""

    async def run() -> None:
        async with Client() as client:
            await client.get(f"{index.url}demo/", limit=10)

    with pytest.raises(IndexUnavailable, match="more than 10 bytes"):
        asyncio.run(run())


def test_ranges(index: FakeIndex) -> None:
    """Exactly the bytes asked for, and the length of the file."""
    content = index.files["demo-1.0-py3-none-any.whl"].content
    url = f"http://{index.address}/files/demo-1.0-py3-none-any.whl"
    index.fault("/files/", cut=3)
    assert ranged(url, 5, 25) == content[5:25]

    async def size() -> int:
        async with Client() as client:
            return await client.size(url)

    assert asyncio.run(size()) == len(content)


def test_a_server_without_ranges(index: FakeIndex) -> None:
    """The whole file in answer to a range is not read."""
    index.ranges = False
    url = f"http://{index.address}/files/demo-1.0-py3-none-any.whl"
    with pytest.raises(RangesUnsupported):
        ranged(url, 5, 25)

    async def size() -> int:
        async with Client() as client:
            return await client.size(url)

    with pytest.raises(RangesUnsupported):
        asyncio.run(size())


def test_credentials_are_wanted() -> None:
    """401 says where credentials can be put."""
    with FakeIndex(auth=("me", "hunter2")) as fake:
        fake.add_wheel("demo", "1.0")
        with pytest.raises(IndexUnavailable) as caught:
            get(f"{fake.url}demo/")
        assert caught.value.hint is not None
        assert variable(fake.url) in caught.value.hint
        assert len(fake.requests) == 1


@pytest.mark.parametrize("way", ["url", "environment", "netrc"])
def test_credentials_by_each_way(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """URL, environment and netrc all work, and nothing of them is logged."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FakeIndex(auth=("me", "p@ss:word")) as fake:
        fake.add_wheel("demo", "1.0")
        url = fake.url
        if way == "url":
            url = fake.url_with("me", "p%40ss%3Aword")
        elif way == "environment":
            monkeypatch.setenv(variable(fake.url), "me:p@ss:word")
        else:
            (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password p@ss:word\n")
        assert get(f"{url}demo/").status_code == 200
    assert "p@ss:word" not in caplog.text
    assert "p%40ss" not in caplog.text


def test_a_broken_netrc_is_no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that cannot be read gives no credentials."""
    (tmp_path / "netrc").write_text("machine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Credentials().of("https://pypi.example.com/simple/") is None


def test_the_default_of_a_netrc_is_for_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only an entry that names the host is used: a default would go to every index there is."""
    (tmp_path / "netrc").write_text("machine a.example login me password x\ndefault login you password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Credentials().of("https://a.example/simple/") == ("me", "x")
    assert Credentials().of("https://b.example/simple/") is None


def test_credentials_stay_with_their_host(index: FakeIndex) -> None:
    """A redirect to another origin does not carry them along."""
    with FakeIndex() as other:
        other.add_wheel("demo", "2.0")
        index.redirects["/simple/demo/"] = f"{other.url}demo/"
        credentials = Credentials()
        credentials.learn(index.url_with("me", "hunter2"))
        assert get(f"{index.url}demo/", credentials).json()["files"][0]["filename"].startswith("demo-2.0")
        assert "authorization" in index.requests[0].headers
        assert "authorization" not in other.requests[0].headers


def test_redirects_without_end(index: FakeIndex) -> None:
    """A circle of redirects is left."""
    index.redirects["/simple/demo/"] = "/simple/demo/"
    with pytest.raises(IndexUnavailable, match="redirects too often"):
        get(f"{index.url}demo/")


def test_no_redirect_out_of_encryption() -> None:
    """From https nobody is sent to http."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://pypi.example.com/x"})

    async def run() -> None:
        async with Client(transport=httpx.MockTransport(answer)) as client:
            await client.get("https://pypi.example.com/simple/")

    with pytest.raises(IndexUnavailable, match="not encrypted"):
        asyncio.run(run())


def test_stream_of_a_missing_file(index: FakeIndex) -> None:
    """A file that is listed but not served is said so."""

    async def run() -> None:
        async with Client() as client, client.stream(f"http://{index.address}/files/x.whl"):
            pass

    with pytest.raises(IndexUnavailable, match="answered 404"):
        asyncio.run(run())


def test_a_certificate_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wrong SSL_CERT_FILE is named, not passed over."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="SSL_CERT_FILE names"):
        get("https://pypi.example.com/")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody vouches for, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_a_certificate_authority_of_ones_own(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> None:
    """An unknown authority is refused at once with the way out, and SSL_CERT_FILE is that way."""
    with FakeIndex(tls=certificate) as fake:
        fake.add_wheel("demo", "1.0")
        with pytest.raises(IndexUnavailable, match="self-signed certificate") as caught:
            get(f"{fake.url}demo/")
        assert caught.value.hint is not None
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert get(f"{fake.url}demo/").status_code == 200


def test_clients_come_and_go(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> None:
    """Each in a thread and a loop of its own, as one lock after another has them; bodies are left unread on the way."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with FakeIndex(tls=certificate) as fake:
        fake.add_wheel("demo", "1.0")
        url = f"{fake.url.removesuffix('simple/')}files/demo-1.0-py3-none-any.whl"

        async def work() -> None:
            async with Client(pause=0.001) as client:
                asked = [asyncio.ensure_future(client.get(f"{fake.url}demo/")) for _ in range(8)]
                async with client.stream(url) as pieces:
                    assert await anext(aiter(pieces))
                await asyncio.gather(*asked[:4])
                asked[5].cancel()

        threads = [threading.Thread(target=run, args=(work(),)) for _ in range(12)]
        for thread in threads[:6]:
            thread.start()
            thread.join()
        for thread in threads[6:]:
            thread.start()
        for thread in threads[6:]:
            thread.join()
        assert len(fake.asked("/simple/demo/")) >= 12 * 4


def test_the_proxy_of_the_environment(index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """With HTTP_PROXY the request goes to the proxy, with the whole URL in it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{index.address}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    get("http://pypi.example.com/simple/demo/")
    assert index.requests[0].path == "http://pypi.example.com/simple/demo/"


class _Tunnel(BaseHTTPRequestHandler):
    """A proxy that opens tunnels to those who log in."""

    def do_CONNECT(self) -> None:
        if "Proxy-Authorization" not in self.headers:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200, "Connection established")
            self.end_headers()
            back = threading.Thread(target=self._pass_on, args=(there, self.connection))
            back.start()
            self._pass_on(self.connection, there)
            back.join()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""


def test_through_a_tunnel(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> None:
    """With HTTPS_PROXY the answer is that of the index and not of the proxy, which may want credentials."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    for variable_ in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable_, raising=False)
    with FakeIndex(tls=certificate) as fake, ThreadingHTTPServer(("127.0.0.1", 0), _Tunnel) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        fake.add_wheel("demo", "1.0")
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@127.0.0.1:{proxy.server_port}")
        answer = get(f"{fake.url}demo/")
        assert (answer.status_code, len(fake.requests)) == (200, 1)
        assert answer.headers["Content-Type"].startswith("application/vnd.pypi.simple")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        with pytest.raises(IndexUnavailable, match="407") as caught:
            get(f"{fake.url}demo/")
        assert "user:password@" in str(caught.value.hint)
        proxy.shutdown()


@pytest.mark.parametrize("url", ["ftp://example.com/", "pypi.org/simple", "https://", "https://a:b@", "https://h:x/"])
def test_what_is_no_url_of_an_index(url: str) -> None:
    """A fault in a URL is the user's to mend, and is shown without credentials."""
    with pytest.raises(UsageError, match="is not a URL") as caught:
        split(url)
    assert "a:b" not in caught.value.message


def test_origins_and_variables() -> None:
    """The port belongs to the origin; the scheme's own may be left out."""
    assert origin("https://a.example/x") == origin("https://a.example:443/y") != origin("http://a.example/")
    assert variable("https://pypi.a-b.example/simple/") == "TFENV_AUTH_PYPI_A_B_EXAMPLE"
    assert variable("http://localhost:8080/") == "TFENV_AUTH_LOCALHOST_8080"
    assert split("https://u:p@h:1/x?y") == ("https://h:1/x?y", ("u", "p"))
    assert "hunter2" not in repr(_learned())


def _learned() -> Credentials:
    credentials = Credentials()
    credentials.learn("https://me:hunter2@h/")
    return credentials


def test_a_handshake_that_is_cancelled_leaves_no_connection() -> None:
    """Who gives up while TLS is being agreed upon hangs up, too."""

    async def give_up() -> bytes:
        gone: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        met = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set()
            while await reader.read(4096):
                pass
            gone.set_result(b"")
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Client() as client:
            asking = asyncio.ensure_future(client.get(f"https://127.0.0.1:{port}/"))
            await met.wait()
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            return await asyncio.wait_for(gone, 5)

    assert asyncio.run(give_up()) == b""
